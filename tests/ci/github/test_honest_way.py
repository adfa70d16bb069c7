"""The way that everybody should take, as a measure for the others."""

from tests.ci.github.scene import GOOD, LOCK, SPEC, Scene


def test_a_branch_is_planned_judged_and_promoted(scene: Scene) -> None:
    pull = scene.pushed("better", {SPEC: GOOD})
    scene.announce(scene.ran(pull))
    assert "Planned" in scene.comment(pull.number) and scene.check(pull.head)["status"] == "in_progress"
    scene.publish(scene.judged(scene.trained(pull)))
    promoted = scene.head(pull.number)
    assert promoted != pull.head and "onnx: sha256:" in scene.file(promoted, LOCK)
    for head in (pull.head, promoted):
        assert scene.check(head)["conclusion"] == "success"
    assert scene.labels(pull.number) == {"challenger:better"}
    assert len(scene.rows("judgements")) == len(scene.rows("provenance")) == 1
