"""Pull requests: read, found by their head and opened once."""

from dataclasses import replace

import pytest

from ci.forge.values import PullRequest
from dagster_project.domain.errors import MachineryError, UsageError
from tests.ci.forge.site import GATE, MODELS, Site


def test_a_pull_request_of_a_branch_is_read(site: Site) -> None:
    number = site.pull()
    pull = site.gate.pull(number)
    assert pull == PullRequest(
        number=number,
        title="change",
        author="octocat",
        state="open",
        merged=False,
        draft=False,
        head=site.double.head(MODELS, "change"),
        head_branch="change",
        head_repository=MODELS,
        base=site.double.head(MODELS),
        base_branch="main",
        repository=MODELS,
        merge_commit=pull.merge_commit,
        labels=(),
    )
    assert not pull.is_fork


def test_a_head_follows_the_pushes(site: Site) -> None:
    number = site.pull()
    pushed = site.double.push(MODELS, "change", {"x": "y"})
    assert site.gate.pull(number).head == pushed


def test_a_fork_is_one_even_when_it_is_gone(site: Site) -> None:
    number = site.fork_pull()
    pull = site.gate.pull(number)
    assert pull.is_fork and pull.head_repository == "stranger/models"
    site.double.delete_fork("stranger/models")
    gone = site.gate.pull(number)
    assert gone.is_fork and gone.head_repository is None


def test_a_merged_one_says_by_which_commit(site: Site) -> None:
    number = site.pull()
    commit = site.double.merge(MODELS, number)
    pull = site.gate.pull(number)
    assert (pull.state, pull.merged, pull.merge_commit) == ("closed", True, commit)
    assert [found.number for found in site.gate.pulls_of_commit(commit)] == [number]
    assert site.gate.pulls_of_commit(commit)[0].merged


def test_they_are_found_by_commit_and_repository(site: Site) -> None:
    own, foreign = site.pull(), site.fork_pull()
    pull = site.gate.pull(foreign)
    assert [found.number for found in site.gate.pulls_with_head(pull.head, "stranger/models")] == [foreign]
    assert site.gate.pulls_with_head(pull.head, MODELS) == ()
    assert site.gate.pulls_with_head(site.gate.pull(own).head, MODELS)[0].number == own
    site.double.push("stranger/models", "mine", {"more": "x"}, by="stranger")
    assert site.gate.pulls_with_head(pull.head, "stranger/models") == ()


def test_a_closed_one_is_not_found_by_its_head(site: Site) -> None:
    pull = site.gate.pull(site.pull())
    site.double.merge(MODELS, pull.number)
    assert site.gate.pulls_with_head(pull.head, MODELS) == ()


def test_it_is_found_among_more_than_a_page(site: Site) -> None:
    pull = site.gate.pull(site.pull())
    pulls = site.double.world.repository(MODELS).pulls
    for number in range(2, 103):
        pulls[number] = replace(pulls[1], number=number, id=pulls[1].id + 10_000 + number)
    assert [found.number for found in site.gate.pulls_with_head(pull.head, MODELS)] == list(range(1, 103))


def test_one_is_opened_once_and_brought_up_to_date(site: Site) -> None:
    site.double.push(MODELS, "acts/promote", {"x": "y"})
    first = site.gate.open_pull("acts/promote", "main", "Promote m", "Because.")
    assert (first.author, first.title, first.head_branch) == (f"{GATE}[bot]", "Promote m", "acts/promote")
    before = site.writes()
    assert site.again().open_pull("acts/promote", "main", "Promote m", "Because.") == first
    assert site.writes() == before
    again = site.again().open_pull("acts/promote", "main", "Promote m again", "Still.")
    assert (again.number, again.title) == (first.number, "Promote m again")
    assert site.double.pull(MODELS, first.number)["body"] == "Still."


def test_a_fork_s_branch_of_the_same_name_is_another_s(site: Site) -> None:
    site.fork_pull(branch="acts/promote")
    site.double.push(MODELS, "acts/promote", {"x": "y"})
    pull = site.gate.open_pull("acts/promote", "main", "Promote m", "")
    assert pull.number == 2 and not pull.is_fork


@pytest.mark.parametrize("fault", [{"lost": True}, {"lost": True, "done": False}])
def test_a_lost_answer_opens_one(site: Site, fault: dict[str, object]) -> None:
    site.double.push(MODELS, "acts/promote", {"x": "y"})
    site.double.faults.next("POST", "pulls$", **fault)  # type: ignore[arg-type]
    pull = site.gate.open_pull("acts/promote", "main", "Promote", "Text")
    assert list(site.double.world.repository(MODELS).pulls) == [pull.number] and site.double.faults.met


def test_nothing_to_merge_is_said_in_github_s_words(site: Site) -> None:
    site.double.force(MODELS, "same", site.double.head(MODELS))
    with pytest.raises(MachineryError, match="No commits between main and same"):
        site.gate.open_pull("same", "main", "Promote", "Text")


def test_what_is_not_there_is_named(site: Site) -> None:
    with pytest.raises(UsageError, match="pull request 9 in acme/models: not there"):
        site.gate.pull(9)
    with pytest.raises(UsageError, match="repository acme/other: not there"):
        site.connect(site.double.user("octocat"), "acme/other").pull(1)


def test_a_stranger_s_token_does_not_see_a_private_repository(site: Site) -> None:
    with pytest.raises(UsageError, match="may not see it"):
        site.connect(site.double.user("stranger")).pull(1)
    with pytest.raises(UsageError, match="doesn't know the token"):
        site.connect("ghp_nobody").pull(1)


def test_the_name_is_github_s_spelling(site: Site) -> None:
    assert site.connect(site.double.user("octocat"), "Acme/MODELS").repository == MODELS
