"""What a deployment changes: the published state against the commit's. Pure."""

from dagster_project.domain.base import StrictModel
from dagster_project.domain.deployment import DesiredModel, DesiredState

UNCHANGED = "unchanged"


class ModelChange(StrictModel):
    """One model before and after; None where it is not served."""

    model: str
    published: str | None
    commit: str | None
    what: str

    @property
    def is_new_lock(self) -> bool:
        """Whether another lock than before says what is served."""
        return self.commit is not None and not self.what.startswith((UNCHANGED, "served differently"))


def changes(published: DesiredState | None, wanted: DesiredState) -> tuple[ModelChange, ...]:
    """Every model of either state, by name."""
    before = published.models if published else {}
    return tuple(
        _change(name, before.get(name), wanted.models.get(name))
        for name in sorted(before.keys() | wanted.models.keys())
    )


def _change(name: str, before: DesiredModel | None, after: DesiredModel | None) -> ModelChange:
    digests = {"published": before.onnx if before else None, "commit": after.onnx if after else None}
    return ModelChange(model=name, what=_words(before, after), **digests)


def _words(before: DesiredModel | None, after: DesiredModel | None) -> str:
    if after is None:
        return "withdrawn: it has no lock any more"
    if before is None:
        return f"new: {after.lock.family}"
    if before.onnx != after.onnx:
        return f"champion: {before.lock.family} → {after.lock.family}"
    if before.lock != after.lock:
        return "the same bytes under another lock"
    fields = [field for field in DesiredModel.model_fields if getattr(before, field) != getattr(after, field)]
    return f"served differently: {', '.join(fields)}" if fields else UNCHANGED
