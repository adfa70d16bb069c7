"""The lease's end, amid whatever runs then."""

import time
from pathlib import Path

import pytest

from dagster_project.domain.compute import Compute
from dagster_project.domain.errors import RefusedError
from dagster_project.training.ending import ending

from .conftest import run_job
from .test_interrupted import session, wait_until_gone  # noqa: F401 a fixture


def ends(request, seconds):
    return request.model_copy(update={"ends": time.time() + seconds})


def test_what_runs_is_ended_with_words_that_help(request_for):
    request = request_for("binary", families=["ridge"], compute={"cost_ceiling": 5})
    begin = time.monotonic()
    words = r"deadline \(2:00:00\) or its cost ceiling \(5\).*compute.cost_ceiling"
    with pytest.raises(RefusedError, match=words), ending(ends(request, 0.3)):
        time.sleep(30)
    assert time.monotonic() - begin < 5


def test_what_a_library_made_of_it_is_the_leases_end_too(request_for):
    with pytest.raises(RefusedError, match="lease is over"), ending(ends(request_for("binary"), 0.2)):
        try:
            time.sleep(30)
        except BaseException as error:
            raise SystemError("returned a result with an exception set") from error


def test_another_error_stays_what_it_is(request_for):
    with pytest.raises(ValueError, match="mine"), ending(ends(request_for("binary"), 60)):
        raise ValueError("mine")


def test_nothing_begins_after_the_end_and_nothing_ends_without_one(request_for):
    request = request_for("binary")
    assert request.spec.compute == Compute()
    with ending(request):
        pass
    with pytest.raises(RefusedError, match="lease is over"), ending(ends(request, -1)):
        raise AssertionError("it began")


@pytest.mark.slow
def test_a_search_ends_with_its_lease(request_for, environment, session):  # noqa: F811
    endless = {"family": "mlp", "search": {"hidden": "16", "epochs": 1_000_000, "batch_size": 16}}
    request = request_for("binary", candidates=[endless], search={"trials": 2})
    run = run_job(ends(request, 25), {**environment, "TMPDIR": str(session)})
    assert run.returncode == 1, run.stdout + run.stderr
    assert "the lease is over" in run.stderr and "Raise compute.deadline" in run.stderr
    assert "Traceback" not in run.stderr
    assert not Path(request.result).exists()
    wait_until_gone(session)
