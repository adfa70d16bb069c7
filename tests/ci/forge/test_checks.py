"""One check run for each commit and name, annotations in batches, none twice."""

import itertools

import pytest

from ci.forge.values import Annotation, CheckReport
from dagster_project.domain.errors import UsageError
from tests.ci.forge.site import GATE, MODELS, Site
from tests.github.world import CheckRun


def notes(count: int, start: int = 1) -> tuple[Annotation, ...]:
    return tuple(
        Annotation(
            path="a.yaml", start_line=n, end_line=n, level="failure", title=f"t{n}" if n % 2 else "", message="m"
        )
        for n in range(start, start + count)
    )


def report(head: str, **fields: object) -> CheckReport:
    values = {"name": "acts", "title": "Passed", "summary": "All gates passed.", "conclusion": "success"} | fields
    return CheckReport.model_validate({"head": head, **values})


def runs(site: Site) -> list[CheckRun]:
    return list(site.double.world.repository(MODELS).checks.values())


def lines(run: CheckRun) -> list[int]:
    return [note["start_line"] for note in run.annotations]


@pytest.fixture
def head(site: Site) -> str:
    site.pull()
    return site.double.head(MODELS, "change")


def test_a_check_goes_from_queued_to_its_conclusion_in_place(site: Site, head: str) -> None:
    first = site.gate.check(report(head, status="queued", conclusion=None, title="Planned"))
    assert (first.status, first.conclusion, first.name, first.head) == ("queued", None, "acts", head)
    site.gate.check(report(head, status="in_progress", conclusion=None))
    last = site.again().check(report(head, external_id="sha256:1", details_url="https://example.org/run"))
    assert (last.id, last.status, last.conclusion) == (first.id, "completed", "success")
    (run,) = runs(site)
    assert (run.external_id, run.details_url) == ("sha256:1", "https://example.org/run")
    assert run.output == {"title": "Passed", "summary": "All gates passed.", "text": ""}


def test_a_check_can_be_taken_up_again(site: Site, head: str) -> None:
    site.gate.check(report(head, conclusion="failure"))
    again = site.gate.check(report(head, status="in_progress", conclusion=None))
    assert (again.status, again.conclusion) == ("in_progress", None) and len(runs(site)) == 1


@pytest.mark.parametrize(("count", "written"), [(0, 1), (1, 1), (50, 1), (51, 2), (120, 3)])
def test_annotations_go_in_batches_of_fifty(site: Site, head: str, count: int, written: int) -> None:
    check = site.gate.check(report(head, annotations=notes(count)))
    (run,) = runs(site)
    assert lines(run) == list(range(1, count + 1))
    assert (check.status, check.conclusion) == ("completed", "success") and len(site.writes()) == written


def test_nothing_is_concluded_before_the_last_batch(site: Site, head: str) -> None:
    site.gate.check(report(head, annotations=notes(120)))
    bodies = [call.body for call in site.double.calls if call.method in ("POST", "PATCH") and "check-runs" in call.path]
    assert [body["status"] for body in bodies] == ["in_progress", "in_progress", "completed"]
    assert ["conclusion" in body for body in bodies] == [False, False, True]


def test_the_same_report_again_writes_nothing_and_a_longer_one_only_what_is_new(site: Site, head: str) -> None:
    site.gate.check(report(head, annotations=notes(60)))
    before = site.writes()
    site.again().check(report(head, annotations=notes(60)))
    assert site.writes() == before
    site.again().check(report(head, annotations=(*notes(70), *notes(3))))
    assert lines(runs(site)[0]) == list(range(1, 71)) and len(site.writes()) == len(before) + 1


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_a_lost_batch_is_there_once(site: Site, head: str, turn: int) -> None:
    """Whichever of the three writes it is whose answer is lost."""
    pattern = r"check-runs$" if turn == 1 else r"check-runs/\d+$"
    if turn == 3:  # a fault that lets one pass: GitHub thinks long and answers
        site.double.faults.next("PATCH", pattern, hang=0.01)
    site.double.faults.next("POST" if turn == 1 else "PATCH", pattern, lost=True)
    check = site.gate.check(report(head, annotations=notes(120)))
    (run,) = runs(site)
    assert lines(run) == list(range(1, 121)) and check.conclusion == "success"


def test_killed_at_any_request_and_run_again_it_ends_the_same(site: Site, head: str) -> None:
    """A dead process is a request that is never sent: every one after the first ``alive`` writes fails."""
    for alive in itertools.count():
        name = f"acts {alive}"
        client = site.connect(site.double.installation_token(GATE, MODELS))
        for _ in range(alive):
            site.double.faults.next("POST|PATCH", "check-runs", hang=0.001)
        site.double.faults.next("POST|PATCH", "check-runs", status=503, times=6)
        try:
            client.check(report(head, name=name, annotations=notes(101)))
        except Exception as error:  # noqa: BLE001 - whatever it is, the next run has to mend it
            assert "Run this again" in str(error) or "run this again" in str(error)
        else:
            break
        site.double.faults.orders.clear()
        site.again().check(report(head, name=name, annotations=notes(101)))
        (run,) = [run for run in runs(site) if run.name == name]
        assert lines(run) == list(range(1, 102)) and run.conclusion == "success"
    assert alive == 3


def test_a_check_of_the_same_name_by_another_app_is_not_ours(site: Site, head: str) -> None:
    """A job's name is the contributor's to choose: GitHub makes a check of it, by its own App."""
    forger = site.workflow({"metadata": "read", "checks": "write"})
    forged = forger.check(report(head, title="Forged"))
    ours = site.gate.check(report(head, conclusion="failure", title="Failed"))
    assert forged.id != ours.id and forged.app != ours.app
    assert [check.app for check in site.gate.checks(head, "acts")] == [ours.app, forged.app]
    assert [check.conclusion for check in site.gate.checks(head, "acts")] == ["failure", "success"]
    assert site.gate.checks(head, "other") == ()


def test_names_and_heads_have_checks_of_their_own(site: Site, head: str) -> None:
    second = site.double.push(MODELS, "change", {"x": "y"})
    for sha, name in itertools.product((head, second), ("acts", "quality")):
        site.gate.check(report(sha, name=name))
        site.again().check(report(sha, name=name, conclusion="failure"))
    assert {(run.head, run.name, run.conclusion) for run in runs(site)} == {
        (sha, name, "failure") for sha, name in itertools.product((head, second), ("acts", "quality"))
    }
    assert len(runs(site)) == 4


def test_of_two_that_a_race_left_the_newest_says_it(site: Site, head: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub asks the newest: it must not be the one that still says something else."""
    from github3.repos.repo import Repository

    create = Repository.create_check_run

    def raced(repository: Repository, name: str, sha: str, **fields: object) -> object:
        made = create(repository, name, sha, **fields)
        monkeypatch.undo()
        create(repository, name, sha, status="queued")
        return made

    monkeypatch.setattr(Repository, "create_check_run", raced)
    check = site.gate.check(report(head))
    newest = site.gate.checks(head, "acts")[0]
    assert check == newest and newest.conclusion == "success" and len(runs(site)) == 2


def test_a_person_s_token_makes_no_check(site: Site, head: str) -> None:
    person = site.connect(site.double.user("octocat"))
    with pytest.raises(UsageError, match="GitHub App"):
        person.check(report(head))
