"""Commits through the git data API: fast-forward or not at all, and once."""

import pytest

from ci.forge.failures import MovedError
from dagster_project.domain.errors import RefusedError
from tests.ci.forge.site import MODELS, Site

LOCK = "models/m/champion.lock.yaml"
FILES = {LOCK: b"family: ridge\n"}


def shown(site: Site, branch: str, path: str) -> bytes | None:
    """A file's bytes on a branch; None: it isn't there."""
    bare = site.double.world.repository(MODELS).bare
    found = bare.text("ls-tree", branch, "--", path)
    return bare.git("cat-file", "blob", found.split()[2]) if found else None


def log(site: Site, branch: str) -> list[str]:
    """Messages, the newest first."""
    return site.double.world.repository(MODELS).bare.text("log", "--format=%s", branch).splitlines()


@pytest.fixture
def parent(site: Site) -> str:
    site.pull()
    return site.double.head(MODELS, "change")


def test_a_commit_adds_replaces_and_deletes_and_keeps_the_rest(site: Site, parent: str) -> None:
    files = {LOCK: b"\x00\xffany bytes", "README.md": b"", "models/m/spec.yaml": None}
    sha = site.gate.commit("change", parent, files, "promote m")
    assert sha == site.double.head(MODELS, "change") == site.double.pull(MODELS, 1)["head"]["sha"]
    assert shown(site, "change", LOCK) == b"\x00\xffany bytes" and shown(site, "change", "README.md") == b""
    assert shown(site, "change", "models/m/spec.yaml") is None
    assert log(site, "change")[0] == "promote m"
    site.double.push(MODELS, "other", {"kept.txt": "kept\n"})
    site.gate.commit("other", site.double.head(MODELS, "other"), FILES, "promote")
    assert shown(site, "other", "kept.txt") == b"kept\n"


def test_what_is_not_there_need_not_be_deleted(site: Site, parent: str) -> None:
    assert site.gate.commit("change", parent, {"no/such/file": None}, "nothing") == parent
    sha = site.gate.commit("change", parent, {"no/such/file": None, **FILES}, "promote")
    assert sha != parent and shown(site, "change", LOCK) == FILES[LOCK]
    trees = [call.body["tree"] for call in site.double.calls if call.path.endswith("git/trees")]
    assert [[entry["path"] for entry in tree] for tree in trees] == [[LOCK]]


def test_files_that_change_nothing_make_no_commit(site: Site, parent: str) -> None:
    once = site.gate.commit("change", parent, FILES, "promote")
    assert site.gate.commit("change", once, FILES, "promote again") == once
    assert log(site, "change")[:2] == ["promote", "Change"]


def test_the_same_commit_again_is_the_one_that_is_there(site: Site, parent: str) -> None:
    once = site.gate.commit("change", parent, FILES, "promote")
    assert site.again().commit("change", parent, FILES, "promote") == once
    assert log(site, "change").count("promote") == 1


def test_a_branch_that_moved_is_not_touched(site: Site, parent: str) -> None:
    moved = site.double.push(MODELS, "change", {"x": "y"})
    with pytest.raises(MovedError, match=f"is at {moved[:12]}, not at {parent[:12]}"):
        site.gate.commit("change", parent, FILES, "promote")
    assert site.double.head(MODELS, "change") == moved and site.writes("PATCH") == []
    site.double.push(MODELS, "change", {"x": "z"})
    before = site.writes()
    with pytest.raises(MovedError):
        site.gate.commit("change", parent, FILES, "promote")
    assert site.writes() == before


def test_a_branch_that_is_gone_is_said_to_be(site: Site, parent: str) -> None:
    site.double.force(MODELS, "change", None)
    with pytest.raises(MovedError, match="is gone"):
        site.gate.commit("change", parent, FILES, "promote")


def test_another_s_push_between_our_look_and_our_write_wins(
    site: Site, parent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from github3.repos.repo import Repository

    create = Repository.create_commit

    def raced(repository: Repository, *arguments: object) -> object:
        site.double.push(MODELS, "change", {"x": "y"})
        return create(repository, *arguments)

    monkeypatch.setattr(Repository, "create_commit", raced)
    with pytest.raises(MovedError):
        site.gate.commit("change", parent, FILES, "promote")
    assert log(site, "change")[0] == "Change" and shown(site, "change", LOCK) is None


def test_our_own_twin_between_our_look_and_our_write_is_the_answer(
    site: Site, parent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from github3.repos.repo import Repository

    create, twin = Repository.create_commit, []

    def raced(repository: Repository, *arguments: object) -> object:
        monkeypatch.undo()
        twin.append(site.again().commit("change", parent, FILES, "promote by the twin"))
        return create(repository, *arguments)

    monkeypatch.setattr(Repository, "create_commit", raced)
    assert [site.gate.commit("change", parent, FILES, "promote")] == twin
    assert log(site, "change")[0] == "promote by the twin"


@pytest.mark.parametrize("path", ["git/blobs", "git/trees", "git/commits", "git/refs/heads"])
@pytest.mark.parametrize("fault", [{"lost": True}])
def test_a_lost_answer_is_done_once(site: Site, parent: str, path: str, fault: dict[str, object]) -> None:
    site.double.faults.next("POST|PATCH", path, **fault)  # type: ignore[arg-type]
    sha = site.gate.commit("change", parent, FILES, "promote")
    assert sha == site.double.head(MODELS, "change") and site.double.faults.met
    assert log(site, "change")[:2] == ["promote", "Change"]


def test_a_protected_branch_is_a_refusal(site: Site) -> None:
    owner = site.connect(site.double.user("octocat"))
    rules = [{"type": "pull_request", "parameters": PARAMETERS}]
    conditions = {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}}
    owner.put_ruleset({"name": "main", "enforcement": "active", "conditions": conditions, "rules": rules})
    with pytest.raises(RefusedError, match=r"a rule of the repository says no.*pull request") as caught:
        site.gate.commit("main", site.double.head(MODELS), FILES, "promote")
    assert not isinstance(caught.value, MovedError)


PARAMETERS = {
    "dismiss_stale_reviews_on_push": True,
    "require_code_owner_review": True,
    "require_last_push_approval": True,
    "required_approving_review_count": 1,
    "required_review_thread_resolution": False,
}


def test_a_branch_is_created_once_and_may_have_our_commit(site: Site) -> None:
    main = site.double.head(MODELS)
    site.gate.create_branch("acts/promote-1", main)
    site.again().create_branch("acts/promote-1", main)
    sha = site.gate.commit("acts/promote-1", main, FILES, "promote")
    site.again().create_branch("acts/promote-1", main)
    assert site.double.head(MODELS, "acts/promote-1") == sha


def test_a_branch_that_stands_elsewhere_is_not_taken(site: Site) -> None:
    main = site.double.head(MODELS)
    for content in ("one", "two"):
        site.double.push(MODELS, "acts/promote-1", {"x": content})
    with pytest.raises(MovedError, match="acts/promote-1"):
        site.gate.create_branch("acts/promote-1", main)


@pytest.mark.parametrize("name", ["a#b/c", "a%23b", "q=1&r"])
def test_a_branch_may_have_any_name_that_git_allows(site: Site, name: str) -> None:
    main = site.double.head(MODELS)
    site.gate.create_branch(name, main)
    site.gate.create_branch(name, main)
    assert site.gate.commit(name, main, FILES, "promote") == site.double.head(MODELS, name)


def test_a_lost_branch_is_made_once(site: Site) -> None:
    main = site.double.head(MODELS)
    site.double.faults.next("POST", "git/refs", lost=True)
    site.gate.create_branch("acts/x", main)
    assert site.double.head(MODELS, "acts/x") == main and site.double.faults.met
