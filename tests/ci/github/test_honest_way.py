"""The way that everybody should take, as a measure for the others."""

from tests.ci.github.scene import GOOD, LOCK, SPEC, Scene


def test_a_branch_is_planned_judged_and_promoted(scene: Scene) -> None:
    pull = scene.pushed("better", {SPEC: GOOD})
    assert not scene.announce(scene.began(pull).id)
    assert "Planned" in scene.comment(pull.number) and scene.check(pull.head)["status"] == "in_progress"
    assert not scene.announce(scene.ran(pull), "--ended"), "the launcher's run is waited for"
    run = scene.trained(pull)
    assert scene.announce(run, "--ended")
    scene.publish(scene.judged(run))
    assert not scene.announce(run, "--ended"), "it was judged"
    promoted = scene.head(pull.number)
    assert promoted != pull.head and "onnx: sha256:" in scene.file(promoted, LOCK)
    for head in (pull.head, promoted):
        assert scene.check(head)["conclusion"] == "success"
    assert scene.labels(pull.number) == {"challenger:better"}
    assert len(scene.rows("judgements")) == len(scene.rows("provenance")) == 1
    [lease] = scene.rows("leases")
    assert (lease["event"], lease["amount"], lease["currency"]) == ("over", 0.25, "EUR")
    comment = scene.comment(pull.number)
    assert "tardy: 0.25 EUR (1 head, 1 worker, 30.0 machine minutes)" in comment
    assert "NVIDIA L4: utilisation 87%, peak memory 3.0 of 24.0 GiB, 1,234 samples per second" in comment
