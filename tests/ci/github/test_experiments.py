"""The workflow ``experiment`` on the double: due, judged, published as a pull request that its own checks let pass."""

import json
from pathlib import Path

import pytest

from ci.experimenting.agenda import Agenda, Evaluation
from dagster_project.domain.experimenting import LEDGER
from tests.ci.github.scene import GOOD, LOCK, MODEL, NAME, SPEC, WEAK, Crowns, Handed, Pull, Scene
from tests.ci.workbench import git
from tests.trees import edited

WORKFLOW, BRANCH = ".github/workflows/experiment.yml", f"experiment/{MODEL}"
ON = edited(GOOD, ("task: binary\n", "task: binary\nexperiment: {on: true, schedule: 0 5 * * *, trials: 3}\n"))
WIDER = edited(ON, ("  trials: 1\n", "  trials: 3\n"))


class Lab:
    """The jobs of one run after the other, each in a clone of its own."""

    def __init__(self, scene: Scene, run: int, agenda: str = "") -> None:
        self.scene, self.run, self.agenda = scene, run, agenda

    @classmethod
    def began(cls, scene: Scene, *given: str, event: str = "schedule") -> "Lab":
        """A run whose first job has looked."""
        run = scene.double.run_began(NAME, WORKFLOW, event, branch="main")
        lab = cls(scene, run.id)
        lab.step("due", *given)
        lab.agenda = scene.outputs()["agenda"]
        return lab

    def step(self, *arguments: str, repo: Path | None = None, **environment: str) -> str:
        told = {"GITHUB_RUN_ID": str(self.run), "AGENDA": self.agenda, **environment}
        given = ("experiments", *arguments)
        code, said = self.scene.acts(*given, repo=repo or self.scene.desk(), environment=told)
        assert code == 0, said
        return said

    def built(self, spec: str) -> None:
        """What the job build lays over, builds and hands over."""
        clone = self.scene.desk()
        self.step("lay-over", "--model", MODEL, repo=clone)
        assert (clone / SPEC).read_text() == spec
        self.scene.double.upload_artifact(
            self.run, f"build-model-{MODEL}", self.scene.studio.build(spec)[f"build-model-{MODEL}"]
        )

    def judged(self) -> Handed:
        clone = self.scene.desk()
        out = clone.with_name(f"{clone.name}-outbox")
        pages = str(clone.with_name(f"{clone.name}-report"))
        self.step("evaluate", "--out", str(out), "--report", pages, repo=clone, **self.scene.judging)
        return Handed(out, self.scene.outputs()["digest"], self.run)

    def publish(self, handed: Handed) -> str:
        return self.step("publish", "--folder", str(handed.folder), "--digest", handed.digest)


@pytest.fixture
def lab(reign: Scene, crowns: Crowns) -> Scene:
    """Main has a champion, and a spec by which a better one can be built."""
    reign.crowned(crowns.first, "first")
    reign.double.push(NAME, "main", {SPEC: ON})
    return reign


def pulls(scene: Scene) -> list[Pull]:
    found = scene.double.world.repository(NAME).pulls.items()
    return [Pull(n, p.head) for n, p in found if p.head_branch == BRANCH and p.state == "open"]


def endings(scene: Scene) -> list[str]:
    return [row["ending"] for row in scene.rows(LEDGER)]


@pytest.mark.slow
def test_what_passes_is_proposed_checked_merged_and_deployed(lab: Scene) -> None:
    before = lab.double.head(NAME, "main")
    run = Lab.began(lab)
    assert json.loads(lab.outputs()["builds"]) == {"include": [{"kind": "model", "name": MODEL}]}
    run.built(WIDER)
    handed = run.judged()
    said = run.publish(handed)
    (pull,) = pulls(lab)
    assert "opened" in said and endings(lab) == ["opened"] and lab.double.head(NAME, "main") == before
    shown = lab.double.pull(NAME, pull.number)
    assert shown["user"]["login"] == "threeacts-gate[bot]" and "scheduled (0 5 * * *)" in shown["body"]
    assert "search.trials: 1 → 3" in shown["body"] and len(shown["body"]) < 65_536
    assert lab.file(pull.head, SPEC) == WIDER and "replaces: sha256:" in lab.file(pull.head, LOCK)
    assert [row["launcher"] for row in lab.rows("provenance")][-1] == "experiment"

    run.publish(handed)
    assert pulls(lab) == [pull] and endings(lab) == ["opened"], "a job may run twice"

    run_of_pull = lab.began(pull)
    lab.announce(run_of_pull.id)
    lab.publish(lab.judged(lab.ran(pull)))
    assert lab.check(pull.head)["conclusion"] == "success", lab.comment(pull.number)
    assert lab.head(pull.number) == pull.head, "nothing was promoted on top"
    code, said = lab.deployed(lab.double.merge(NAME, pull.number))
    assert code == 0, said
    Lab.began(lab)
    assert lab.outputs()["due"] == "false", "the pause"


@pytest.mark.slow
def test_what_is_refused_opens_nothing_and_is_told_where_one_is_open(lab: Scene) -> None:
    first = Lab.began(lab)
    first.built(WIDER)
    first.publish(first.judged())
    (pull,) = pulls(lab)
    weak = edited(WEAK, ("task: binary\n", "task: binary\nexperiment: {on: true, schedule: 0 5 * * *}\n"))
    lab.double.push(NAME, "main", {SPEC: weak})
    second = Lab.began(lab, "--model", MODEL, "--cause", "manual", event="workflow_dispatch")
    second.built(weak)
    said = second.publish(second.judged())
    assert "refused" in said and endings(lab) == ["opened", "refused"] and pulls(lab) == [pull]
    (words,) = [text for text in lab.comments(pull.number) if "threeacts experiment" in text]
    assert "was refused" in words


@pytest.mark.slow
def test_a_run_without_a_build_is_broken_and_of_another_workflow_nothing_is_taken(lab: Scene) -> None:
    run = Lab.began(lab)
    handed = run.judged()
    (found,) = Evaluation.from_json((handed.folder / "outbox.json").read_bytes()).experiments
    assert found.row.ending == "broken" and "left no build" in found.row.words[0]
    other = lab.double.run_began(NAME, ".github/workflows/quality.yml", "schedule", branch="main").id
    elsewhere = lab.double.run_began(NAME, WORKFLOW, "workflow_dispatch", branch="first").id
    for number in (other, elsewhere):
        told = {"GITHUB_RUN_ID": str(number)}
        arguments = ("experiments", "publish", "--folder", str(handed.folder), "--digest", handed.digest)
        code, said = lab.acts(*arguments, repo=lab.desk(), environment=told)
        assert code == 1 and "nothing is taken" in said
    assert not pulls(lab) and endings(lab) == []
    run.publish(handed)
    assert endings(lab) == ["broken"]


@pytest.mark.slow
def test_a_branch_that_others_pushed_to_is_left_alone(lab: Scene) -> None:
    first = Lab.began(lab)
    first.built(WIDER)
    handed = first.judged()
    mine = lab.double.push(NAME, BRANCH, {"README.md": "mine"}, by="maria")
    assert "README.md" in first.publish(handed)
    assert endings(lab) == ["held"] and lab.double.head(NAME, BRANCH) == mine and not pulls(lab)


def test_jobs_of_one_agenda_make_the_same_commit(lab: Scene) -> None:
    run = Lab.began(lab)
    heads = set()
    for _ in range(2):
        run.step("lay-over", "--model", MODEL)
        heads.add(lab.outputs()["head"])
    agenda = Agenda.from_json(run.agenda)
    assert len(heads) == 1 and agenda.base == lab.double.head(NAME, "main") not in heads
    clone = lab.desk()
    code, said = lab.acts("experiments", "lay-over", "--model", MODEL, repo=clone, environment={"AGENDA": "{}"})
    assert code == 2 and "AGENDA" in said and git(clone, "status", "--porcelain") == ""
