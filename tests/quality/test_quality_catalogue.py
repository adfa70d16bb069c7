"""The data of the adapter against the library that is installed."""

import os
import subprocess
import sys
import warnings

from dagster_project.quality.catalogue import COSTS, LEFT_OUT, NOT_BETWEEN_VERSIONS, SUITES, reason_for
from dagster_project.quality.faster import faster_checks
from dagster_project.quality.library import TELEMETRY_SWITCH, load, quiet


def test_suites_are_the_librarys_own() -> None:
    tabular = load()
    for suite, names in SUITES.items():
        assert tuple(type(check).__name__ for check in getattr(tabular.suites, suite)().checks.values()) == names


def test_every_name_is_a_check() -> None:
    known = {name for names in SUITES.values() for name in names}
    assert {*LEFT_OUT, *NOT_BETWEEN_VERSIONS, *COSTS, *faster_checks()} <= known


def test_faster_checks_are_the_librarys_class_by_name_and_kind() -> None:
    for name, check in faster_checks().items():
        assert issubclass(check, getattr(load().checks, name))


def test_only_a_known_reason_excuses() -> None:
    assert reason_for("IndexTrainTestLeakage", "Dataset does not contain an index") is not None
    assert reason_for("FeatureDrift", "Dataset does not contain an index") is None
    assert reason_for("RocReport", "Predicted probabilities not supplied. The roc report check") is None
    assert reason_for("IsSingleValue", "something nobody has seen") is None


def test_deepchecks_calls_nobody() -> None:
    """In a fresh process whose sockets cannot connect: an attempt would end the process."""
    code = (
        "import os, socket\n"
        "def connect(*_): os._exit(9)\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = connect\n"
        "from dagster_project.quality.library import load\n"
        "load()\n"
    )
    environment = {key: value for key, value in os.environ.items() if key != TELEMETRY_SWITCH}
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], env=environment, timeout=120, check=False)
    assert done.returncode == 0


def test_only_known_warnings_are_quiet() -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with quiet():
            warnings.warn("Mean of empty slice", RuntimeWarning, stacklevel=1)
            warnings.warn("something else", RuntimeWarning, stacklevel=1)
    assert [str(warning.message) for warning in seen] == ["something else"]
