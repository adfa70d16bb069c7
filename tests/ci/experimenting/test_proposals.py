"""Where a proposal goes: one branch that only moves forward, and never over what somebody else did there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ci.experimenting.commits import commit_files, move_branch
from ci.experimenting.local import LocalForge
from ci.experimenting.proposal import Proposal
from ci.git import GitTree, main_tip
from ci.heads import push_branch, remote_head
from dagster_project.domain.errors import RefusedError
from dagster_project.domain.lock import ChampionLock
from dagster_project.domain.promotion import lock_text
from dagster_project.domain.workspace import Workspace
from tests.ci.experimenting.conftest import NOW, on_main
from tests.ci.workbench import GOOD, MODEL, SPEC, WEAK, git, save, settled

BRANCH, LOCK = f"experiment/{MODEL}", f"models/{MODEL}/champion.lock.yaml"


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Path]:
    """Main with a spec, and somebody's branch with work that is not committed."""
    folder = settled(tmp_path / "repo", spec=GOOD)
    git(folder, "switch", "-q", "-c", "own-work")
    (folder / SPEC).write_text(WEAK)
    yield folder
    assert git(folder, "branch", "--show-current") == "own-work" and (folder / SPEC).read_text() == WEAK
    assert git(folder, "status", "--porcelain") == f"M {SPEC}"


def wanted(repo: Path, challenger: str, verdict: str = "v", champion: str | None = None) -> Proposal:
    digests = dict.fromkeys(("bundle", "snapshot", "spec", "code", "environment", "build_key"), "sha256:0")
    lock = ChampionLock(
        model=MODEL, onnx=challenger, verdict=verdict, replaces=champion, commit=None, family="f",
        parameters={}, metrics={}, **digests,
    )  # fmt: skip
    tip = main_tip(repo)
    return Proposal(
        model=MODEL, base=tip, head=tip, files={LOCK: lock_text(lock).encode()}, message="feat(models): promote\n",
        title="t", body=f"of {challenger}", at=NOW, challenger=challenger, champion=champion,
    )  # fmt: skip


def forge(repo: Path) -> LocalForge:
    return LocalForge(Workspace(repo=repo))


def files(repo: Path, revision: str = BRANCH) -> str:
    return git(repo, "diff", "--name-only", f"main...{revision}")


def test_the_branch_moves_forward_and_holds_the_newest(repo: Path) -> None:
    first = forge(repo).propose(wanted(repo, "one"))
    second = forge(repo).propose(wanted(repo, "two"))
    assert (first.ending, second.ending, second.commit) == ("opened", "updated", git(repo, "rev-parse", BRANCH))
    git(repo, "merge-base", "--is-ancestor", str(first.commit), BRANCH)
    assert files(repo) == LOCK and b"onnx: two" in GitTree(repo, BRANCH).read(LOCK)
    assert "of two" in (Path(str(second.pull)) / "pull.md").read_text()


def test_the_same_bytes_judged_again_are_the_same_proposal(repo: Path) -> None:
    first = forge(repo).propose(wanted(repo, "one", "a verdict"))
    assert forge(repo).propose(wanted(repo, "one", "another verdict")).ending == "unchanged"
    assert forge(repo).propose(wanted(repo, "one", champion="a newer champion")).ending == "updated"
    assert first.commit != git(repo, "rev-parse", BRANCH)


def test_a_branch_follows_main(repo: Path) -> None:
    forge(repo).propose(wanted(repo, "one"))
    tip = on_main(repo, {"README.md": "new"})
    assert forge(repo).propose(wanted(repo, "one")).ending == "updated"
    git(repo, "merge-base", "--is-ancestor", tip, BRANCH)
    assert files(repo) == LOCK and GitTree(repo, BRANCH).read("README.md") == b"new"


def test_after_the_merge_a_new_pull_request_is_opened_and_nobody_hears_of_the_old_one(repo: Path) -> None:
    done = forge(repo).propose(wanted(repo, "one"))
    assert forge(repo).tell(MODEL, main_tip(repo), "refused", NOW) == done.pull
    git(repo, "update-ref", "refs/heads/main", str(done.commit))
    assert forge(repo).tell(MODEL, main_tip(repo), "refused", NOW) is None
    again = forge(repo).propose(wanted(repo, "two", champion="one"))
    assert again.ending == "opened" and git(repo, "rev-parse", f"{BRANCH}^@") == done.commit


def test_a_comment_is_said_once(repo: Path) -> None:
    place = Path(str(forge(repo).propose(wanted(repo, "one")).pull)) / "comments.md"
    for words in ("refused", "refused", "refused again"):
        forge(repo).tell(MODEL, main_tip(repo), words, NOW)
    assert place.read_text().count("refused") == 2


@pytest.mark.parametrize("path", ["README.md", SPEC])
def test_what_others_did_on_the_branch_stays(repo: Path, path: str) -> None:
    first = forge(repo).propose(wanted(repo, "one"))
    tip = str(first.commit)
    own = commit_files(repo, tip, [tip], {path: f"{GOOD}# mine\n".encode()}, "mine\n", NOW)
    move_branch(repo, BRANCH, own, tip)
    row = forge(repo).propose(wanted(repo, "two"))
    assert row.ending == "held" and path in row.words and git(repo, "rev-parse", BRANCH) == own


def test_a_branch_that_is_checked_out_stays(repo: Path, tmp_path: Path) -> None:
    git(repo, "branch", BRANCH, "main")
    git(repo, "worktree", "add", "-q", str(tmp_path / "elsewhere"), BRANCH)
    row = forge(repo).propose(wanted(repo, "one"))
    assert row.ending == "held" and "elsewhere" in row.words
    assert git(repo, "rev-parse", BRANCH) == main_tip(repo)


def test_a_push_never_overwrites_who_was_faster(repo: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(repo), str(tmp_path / "origin"))
    clones = [tmp_path / name for name in ("one", "other")]
    for clone in clones:
        git(tmp_path, "clone", "-q", "--branch", "main", str(tmp_path / "origin"), str(clone))
    tip = main_tip(clones[0])
    made = [commit_files(each, tip, [tip], {"a": each.name.encode()}, "m\n", NOW) for each in clones]
    assert remote_head(clones[0], BRANCH) is None
    push_branch(clones[0], BRANCH, made[0])
    with pytest.raises(RefusedError, match="can't be moved"):
        push_branch(clones[1], BRANCH, made[1])
    assert remote_head(clones[1], BRANCH) == made[0]


def test_a_folder_inside_a_repository_is_written_where_it_lies(tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    inner = settled(outer / "inner", spec=GOOD)
    (inner / ".git").rename(tmp_path / "unused")
    git(outer, "init", "-q", "-b", "main")
    tip = save(outer, "all")
    made = commit_files(inner, tip, [tip], {SPEC: b"x"}, "m\n", NOW)
    assert git(outer, "diff", "--name-only", tip, made) == f"inner/{SPEC}"
