"""One sticky comment, whatever happens."""

import threading

import pytest

from ci.forge.github import GitHub
from dagster_project.domain.errors import MachineryError, UsageError
from tests.ci.forge.site import GATE, MODELS, Site
from tests.github.world import Comment

MARKER = "<!-- acts -->"
LOST = [{"lost": True}, {"lost": True, "done": False}]


def body(text: str) -> str:
    return f"{MARKER}\n{text}"


def comments(site: Site) -> list[tuple[str, str]]:
    """Who said what, oldest first."""
    found = site.double.world.repository(MODELS).comments.values()
    return [(one.user.login, one.body.removeprefix(f"{MARKER}\n")) for one in found]


def said_by(site: Site, login: str, text: str) -> Comment:
    """Somebody's comment on the first pull request."""
    world = site.double.world
    app = world.apps.get(login.removesuffix("[bot]"))
    one = Comment(world.next_id(), 1, world.user(login), app, text)
    return world.repository(MODELS).comments.setdefault(one.id, one)


def test_twenty_updates_leave_one_comment_with_the_last_words(site: Site) -> None:
    number = site.pull()
    urls = {site.again().say(number, MARKER, body(f"push {turn}")) for turn in range(20)}
    assert comments(site) == [(f"{GATE}[bot]", "push 19")]
    assert len(urls) == 1 and len(site.writes("POST")) == 1 and len(site.writes("PATCH")) == 19


def test_nothing_is_written_where_it_is_said_already(site: Site) -> None:
    number = site.pull()
    first = site.gate.say(number, MARKER, body("the same"))
    before = site.writes()
    assert site.again().say(number, MARKER, body("the same")) == first
    assert site.writes() == before


def test_a_marker_that_another_wrote_is_not_ours(site: Site) -> None:
    number = site.pull()
    site.double.app("other-app", {})
    said_by(site, "octocat", body("forged"))
    said_by(site, "other-app[bot]", body("another's"))
    site.gate.say(number, MARKER, body("ours"))
    site.again().say(number, MARKER, body("ours again"))
    assert comments(site) == [("octocat", "forged"), ("other-app[bot]", "another's"), (f"{GATE}[bot]", "ours again")]


def test_our_other_comments_stay(site: Site) -> None:
    number = site.pull()
    said_by(site, f"{GATE}[bot]", "something else")
    site.gate.say(number, MARKER, body("ours"))
    assert comments(site) == [(f"{GATE}[bot]", "something else"), (f"{GATE}[bot]", "ours")]


def test_later_copies_are_deleted_and_the_oldest_kept(site: Site) -> None:
    site.pull()
    oldest, *_ = [said_by(site, f"{GATE}[bot]", body(text)) for text in ("one", "two", "three")]
    assert str(oldest.id) in site.gate.say(1, MARKER, body("truth"))
    assert comments(site) == [(f"{GATE}[bot]", "truth")] and oldest.body == body("truth")
    assert len(site.writes("DELETE")) == 2


def test_it_is_found_behind_a_hundred_others(site: Site) -> None:
    number = site.pull()
    for turn in range(130):
        said_by(site, "octocat", f"chat {turn}")
    site.gate.say(number, MARKER, body("first"))
    site.again().say(number, MARKER, body("second"))
    assert [text for login, text in comments(site) if login == f"{GATE}[bot]"] == ["second"]


def test_racing_writers_leave_one_comment(site: Site) -> None:
    number = site.pull()
    start, clients = threading.Barrier(4), [site.again() for _ in range(4)]

    def write(client: GitHub, turn: int) -> None:
        assert client.repository == MODELS
        start.wait()
        client.say(number, MARKER, body(f"writer {turn}"))

    threads = [threading.Thread(target=write, args=(client, turn)) for turn, client in enumerate(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ((login, text),) = comments(site)
    assert login == f"{GATE}[bot]" and text in {f"writer {turn}" for turn in range(4)}


def test_two_writers_that_both_found_none_leave_one(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The race at its worst: another's comment appears between our look and our write."""
    from github3.pulls import PullRequest

    number, create = site.pull(), PullRequest.create_comment

    def late(pull: PullRequest, text: str) -> object:
        said_by(site, f"{GATE}[bot]", body("the other writer"))
        return create(pull, text)

    monkeypatch.setattr(PullRequest, "create_comment", late)
    site.gate.say(number, MARKER, body("mine"))
    assert comments(site) == [(f"{GATE}[bot]", "mine")]


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
@pytest.mark.parametrize("fault", LOST)
def test_a_lost_answer_is_done_once(site: Site, method: str, fault: dict[str, object]) -> None:
    number = site.pull()
    site.gate.say(number, MARKER, body("first")) if method != "POST" else None
    said_by(site, f"{GATE}[bot]", body("copy")) if method == "DELETE" else None
    site.double.faults.next(method, "comments", **fault)  # type: ignore[arg-type]
    site.again().say(number, MARKER, body("second"))
    assert comments(site) == [(f"{GATE}[bot]", "second")]
    assert site.double.faults.met and site.clock.sleeps


def test_limits_are_waited_for(site: Site) -> None:
    number = site.pull()
    site.double.faults.secondary_limit(17, "POST", "comments")
    site.double.faults.rate_limited(int(site.clock.now) + 100, "GET", "comments")
    site.gate.say(number, MARKER, body("said"))
    assert comments(site) == [(f"{GATE}[bot]", "said")] and 17.0 in site.clock.sleeps and len(site.clock.sleeps) == 2


def test_github_that_stays_broken_is_named(site: Site) -> None:
    number = site.pull()
    site.double.faults.next("POST", "comments", status=503, times=50)
    with pytest.raises(MachineryError, match=r"503 .*run this again"):
        site.gate.say(number, MARKER, body("x"))
    assert comments(site) == [] and len(site.double.faults.met) == 6


def test_a_workflow_s_token_has_an_identity_of_its_own(site: Site) -> None:
    number = site.pull()
    site.gate.say(number, MARKER, body("the gate's"))
    for text in ("plan", "plan again"):
        site.workflow({"metadata": "read", "pull_requests": "write"}).say(number, MARKER, body(text))
    assert comments(site) == [(f"{GATE}[bot]", "the gate's"), ("github-actions[bot]", "plan again")]


def test_a_comment_without_its_marker_is_refused(site: Site) -> None:
    with pytest.raises(ValueError, match="marker"):
        site.gate.say(1, MARKER, "no marker")


def test_a_pull_request_that_is_not_there_and_a_token_that_may_not(site: Site) -> None:
    with pytest.raises(UsageError, match="pull request 77 in acme/models: not there"):
        site.gate.say(77, MARKER, body("x"))
    number = site.pull()
    with pytest.raises(UsageError, match="may not"):
        site.workflow({"metadata": "read", "pull_requests": "read"}).say(number, MARKER, body("x"))
