"""Semantic differences of specs and of the floor: which key, what it costs, and whether it loosens."""

import json
from collections.abc import Iterator
from typing import Any, Literal

from .base import digest_of_bytes
from .gates import Floor, Gate, title
from .plan import Change
from .spec import ModelSpec
from .strictness import loosened

Effect = Literal["rebuild", "rejudge", "none"]
_WORDING = ("description", "owners", "contract.version")
_JUDGING = ("split.holdout.judgements", "split.holdout.renewal")
_TRAINED = ("compute.gpus_per_trial", "compute.processes_per_trial")
_UNTRAINED = ("serving", "compute", "monitoring", "experiment")
_JUDGED = ("task", "target", "positive", "prediction_time", "split")
_MISSING = object()


def spec_file(name: str) -> str:
    """Where a model's spec lies."""
    return f"models/{name}/spec.yaml"


def compare_specs(base: ModelSpec | None, head: ModelSpec | None) -> tuple[Change, ...]:
    """Every key that differs; a new spec rebuilds, a removed one costs nothing."""
    if head is None:
        return () if base is None else (_change(base.name, "the model is removed"),)
    if base is None:
        return (_change(head.name, "new model", effect="rebuild"),)
    before, after = (_comparable(spec) for spec in (base, head))
    untrained: tuple[str, ...] = _UNTRAINED
    if base.headroom.training_part() == head.headroom.training_part():
        untrained = (*_UNTRAINED, "headroom")  # off before and after
    fields = [_field_change(head.name, untrained, *difference) for difference in _differences(before, after)]
    gates = [
        _change(head.name, what, effect="rejudge", loosens=loosens)
        for what, loosens in gate_differences(base.gates, head.gates)
    ]
    return (*fields, *gates)


def compare_floors(base: Floor, head: Floor) -> tuple[Change, ...]:
    """Gates of the floor that differ, each with the task it is for."""
    changes = []
    for task in ("every", *sorted(base.tasks.keys() | head.tasks.keys())):
        before, after = (f.every if task == "every" else f.tasks.get(task, ()) for f in (base, head))  # type: ignore[call-overload]
        for what, loosens in gate_differences(before, after):
            changes.append(
                Change(
                    file="models/floor.yaml", subject=task, kind="floor", what=what, effect="rejudge", loosens=loosens
                )
            )
    return tuple(changes)


def gate_differences(base: tuple[Gate, ...], head: tuple[Gate, ...]) -> Iterator[tuple[str, bool]]:
    """What changed about which gate, and whether it got looser."""
    looser = {title(gate) for gate in loosened(base, head)}
    before, after = ({title(gate): gate for gate in gates} for gates in (base, head))
    for name in dict.fromkeys((*before, *after)):
        if name not in after:
            yield f"gate '{name}' removed", name in looser
        elif name not in before:
            yield f"gate '{name}' added", False
        elif before[name] != after[name]:
            keys = _differences(before[name].model_dump(mode="json"), after[name].model_dump(mode="json"))
            words = ", ".join(_words(*difference) for difference in keys)
            yield f"gate '{name}': {words}", name in looser


def _comparable(spec: ModelSpec) -> dict[str, Any]:
    fields = spec.model_dump(mode="json", exclude={"gates"})
    fields["candidates"] = {
        c["family"]: {**c["search"], **({"weights": c["weights"]} if c["weights"] else {})}
        for c in fields["candidates"]
    }
    if spec.architecture is not None:
        fields["architecture"] = digest_of_bytes(spec.architecture.encode())[:19]
    return fields


def _differences(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Dotted paths of the leaves that differ, with both values; lists are leaves."""
    if isinstance(before, dict) and isinstance(after, dict) and before and after:
        for key in dict.fromkeys((*before, *after)):
            inner = f"{path}.{key}" if path else key
            yield from _differences(before.get(key, _MISSING), after.get(key, _MISSING), inner)
    elif before != after:
        yield path, before, after


def _field_change(name: str, untrained: tuple[str, ...], path: str, before: Any, after: Any) -> Change:
    effect: Effect = "rebuild"
    if path in _WORDING or (path.split(".")[0] in untrained and path not in _TRAINED):
        effect = "none"
    elif path in _JUDGING:
        effect = "rejudge"
    return _change(name, _words(path, before, after), effect=effect, loosens=_loosens(path, before, after))


def _loosens(path: str, before: Any, after: Any) -> bool:
    judged = path == "contract.name" or path.split(".")[0] in _JUDGED
    if not judged or path == "split.window":
        return False
    return not (path == "split.holdout.renewal" and after > before)


def _words(path: str, before: Any, after: Any) -> str:
    if before is _MISSING:
        return f"{path} added: {_show(after)}"
    if after is _MISSING:
        return f"{path} removed"
    if isinstance(before, list) and isinstance(after, list):
        return f"{path}: {_list_words(before, after)}"
    return f"{path}: {_show(before)} → {_show(after)}"


def _list_words(before: list[Any], after: list[Any]) -> str:
    words = [f"+{_show(item)}" for item in after if item not in before]
    words += [f"-{_show(item)}" for item in before if item not in after]
    return ", ".join(words) or "another order"


def _show(value: Any) -> str:
    text = "nothing" if value is None or value == {} else json.dumps(_pruned(value), ensure_ascii=False)
    text = text.strip('"')
    return text if len(text) <= 80 else f"{text[:77]}..."


def _pruned(value: Any) -> Any:
    """Without the keys that say nothing."""
    if isinstance(value, dict):
        return {key: _pruned(entry) for key, entry in value.items() if entry is not None}
    return [_pruned(entry) for entry in value] if isinstance(value, list | tuple) else value


def _change(name: str, what: str, effect: Effect = "none", loosens: bool = False) -> Change:
    return Change(file=spec_file(name), subject=name, kind="spec", what=what, effect=effect, loosens=loosens)
