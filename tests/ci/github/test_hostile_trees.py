"""A pull request's tree as an enemy makes it: told as problems, never followed, never run, never laid over."""

from pathlib import Path

import pytest

from ci.github.declarations import lay_over
from dagster_project.domain.errors import RefusedError, UserFileError
from tests.ci.github.scene import FORK, GOOD, MODEL, NAME, SPEC, Pull, Scene
from tests.ci.github.trees import LINK, PLAIN, SUBMODULE, Entry, committed
from tests.ci.workbench import git
from tests.trees import edited

MINE = f"models/{MODEL}".encode()
HASH = b"1" * 40
SURROGATE = edited(GOOD, ("description: Will the ride be late?", 'description: "\\ud800"'))
TREES: dict[str, tuple[list[Entry], str]] = {
    "spec is a link": ([(LINK, MINE + b"/spec.yaml", b"/etc/passwd")], "this is a link"),
    "link beside it": ([(LINK, MINE + b"/notes.yaml", b"../../../../etc/passwd")], "models/tardy/notes.yaml"),
    "an escape that is no text": (
        [(PLAIN, MINE + b"/spec.yaml", SURROGATE.encode())],
        "models/tardy/spec.yaml",
    ),
    "submodule": ([(SUBMODULE, b"models/other", HASH)], "models/other"),
    "dot dot": ([(PLAIN, b"models/../../out/spec.yaml", b"x")], "models/../../out/spec.yaml"),
    "dot git": ([(PLAIN, b"models/.git/hooks/post-checkout", b"x")], "models/.git/hooks/post-checkout"),
    "no text as a name": ([(PLAIN, b"models/\xff\xfe/spec.yaml", GOOD.encode())], "models/\\xff"),
    "controls in a name": ([(PLAIN, b"models/a\x1b[31m\nb/spec.yaml", GOOD.encode())], "models/a"),
    "backslash": ([(PLAIN, b"models/..\\out/spec.yaml", b"x")], "models/.."),
    "no text inside": ([(PLAIN, MINE + b"/spec.yaml", b"\xff\xfe\x00")], "models/tardy/spec.yaml"),
    "five megabytes": ([(PLAIN, MINE + b"/spec.yaml", b"# a\n" * 1_300_000)], "5,200,000 bytes"),
    "a bomb": ([(PLAIN, MINE + b"/spec.yaml", b"a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n")], "models/tardy/spec.yaml"),
    "a tag": ([(PLAIN, MINE + b"/spec.yaml", b"!!python/object/apply:os.system [id]\n")], "models/tardy/spec.yaml"),
}


def sent(scene: Scene, entries: list[Entry]) -> Pull:
    scene.double.fork(NAME, "stranger")
    head = committed(scene.double.path(FORK), "mine", entries)
    return Pull(scene.double.open_pull(NAME, "stranger:mine"), head)


@pytest.mark.parametrize("what", TREES)
def test_a_hostile_tree_is_told_as_a_problem(scene: Scene, what: str) -> None:
    entries, said = TREES[what]
    pull = sent(scene, entries)
    run = scene.began(pull).id
    scene.announce(run)
    check, comment = scene.check(pull.head), scene.comment(pull.number)
    assert check["conclusion"] in ("failure", "action_required"), comment[:500]
    assert said in comment.replace("&#92;", "\\").replace("&#45;", "-"), comment[:2000]
    assert "\x1b" not in comment


def test_a_tree_that_can_t_be_planned_is_published_as_such(scene: Scene) -> None:
    pull = sent(scene, [*TREES["no text as a name"][0], *TREES["spec is a link"][0]])
    scene.publish(scene.judged(scene.ran(pull, conclusion="failure")))
    assert scene.check(pull.head)["conclusion"] == "failure" and "this is a link" in scene.comment(pull.number)


def test_names_that_are_no_text_may_stand_beside_a_good_model(scene: Scene) -> None:
    pull = sent(scene, [(PLAIN, SPEC.encode(), GOOD.encode()), (PLAIN, b"notes/\xff\xfe.txt", b"x")])
    scene.publish(scene.judged(scene.built(pull)))
    check = scene.check(pull.head)
    assert check["conclusion"] == "action_required" and check["output"]["title"].startswith("Preview: ")


# Laying a pull request's declarations over main's code


def laid(scene: Scene, entries: list[Entry]) -> Path:
    """A job's clone, with the tree laid over it."""
    pull, desk = sent(scene, entries), scene.desk()
    git(desk, "fetch", "-q", "origin", f"refs/pull/{pull.number}/head")
    (desk / "models" / "old").mkdir()
    (desk / "models" / "old" / "link").symlink_to("/etc/passwd")
    lay_over(desk, pull.head)
    return desk


def test_declarations_are_laid_over_the_code_of_main(scene: Scene) -> None:
    more = [(PLAIN, b"dagster_project/training.py", b"SEED = 2\n"), (PLAIN, b"polars.py", b"raise SystemExit\n")]
    desk = laid(scene, [(PLAIN, SPEC.encode(), GOOD.encode()), (PLAIN, b"models/new/spec.yaml", b"x"), *more])
    assert (desk / SPEC).read_text() == GOOD and (desk / "models/new/spec.yaml").read_text() == "x"
    assert (desk / "dagster_project/training.py").read_text() == "SEED = 1\n" and not (desk / "polars.py").exists()
    assert not (desk / "models/old").exists() and Path("/etc/passwd").exists()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (b"models/tardy/architecture.py", "is not built here"),
        (b"data_contracts/x.pyc", "is not built here"),
        (b"models/x/y.so", "is not built here"),
        (b"models/../out.yaml", "no path inside"),
        (b"models/.git/config", "no path inside"),
        (b"models/.GIT/config", "no path inside"),
        (b"models/a\\..\\b.yaml", "no path inside"),
        (b"models/\xff/spec.yaml", "no path inside"),
    ],
)
def test_code_and_paths_that_lead_elsewhere_are_not_laid_over(scene: Scene, path: bytes, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        laid(scene, [(PLAIN, path, b"x")])


@pytest.mark.parametrize(
    "entry",
    [(LINK, MINE + b"/spec.yaml", b"/etc/passwd"), (SUBMODULE, b"models/other", HASH), TREES["five megabytes"][0][0]],
)
def test_links_submodules_and_giants_are_not_laid_over(scene: Scene, entry: Entry) -> None:
    with pytest.raises(UserFileError):
        laid(scene, [entry])


def test_a_refused_tree_leaves_the_folder_as_it_was(scene: Scene) -> None:
    pull, desk = sent(scene, [(PLAIN, b"models/tardy/architecture.py", b"x")]), scene.desk()
    before = sorted(path for path in desk.rglob("*") if ".git" not in path.parts)
    code, said = scene.acts("lay-over", "--pull", str(pull.number), "--head", pull.head, repo=desk)
    assert code == 1 and "Bring it to the base branch first" in said
    assert sorted(path for path in desk.rglob("*") if ".git" not in path.parts) == before
