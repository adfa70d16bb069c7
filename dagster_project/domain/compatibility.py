"""What a change of a contract means for who reads the data and who delivers it.

A promise that gets weaker breaks the consumer, one that gets stronger asks more of the producer; both grade a change
and the worse one asks for the version bump. Beyond what data contracts usually grade, a change of unit, role, label or
event time is breaking: a model that was trained before it is wrong after it.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, NamedTuple

from .column_lint import parse_bound
from .contract import Column, DataContract, Rule
from .plan import Bump, Change, Perspective
from .semver import largest


class Grade(NamedTuple):
    """One change from both sides."""

    consumer: Perspective
    producer: Perspective
    bump: Bump


LOOSER = Grade("breaking", "safe", "major")
TIGHTER = Grade("safe", "warning", "minor")  # major for producers whose old rows fail: the build shows that
BOTH = Grade("breaking", "breaking", "major")
UNCLEAR = Grade("warning", "warning", "major")
NOTABLE = Grade("warning", "safe", "minor")
EARLIER = Grade("warning", "breaking", "major")
ADDED = Grade("safe", "warning", "minor")
DEMANDED = Grade("safe", "breaking", "major")
WORDING = Grade("safe", "safe", "patch")

_LESS = ("mustBeLessThan", "mustBeLessOrEqualTo")
_MORE = ("mustBeGreaterThan", "mustBeGreaterOrEqualTo")
# Rules of these kinds stand on their own; the others follow from a column's attributes, which are compared.
_STANDING = (
    "null_values", "missing_values", "invalid_values", "duplicate_values", "row_count", "sql", "freshness",
    "relationship", "gaps",
)  # fmt: skip


def compare_contracts(base: DataContract, head: DataContract) -> tuple[Change, ...]:
    """Every semantic difference; none for the same contract. deepchecks conditions are the planner's to compare."""
    return (*_whole(base, head), *_columns(base, head), *_rules(base, head), *_derivation(base, head))


def required_bump(changes: tuple[Change, ...]) -> Bump:
    """How far the version has to go up: the most that a single change asks for."""
    return largest(*(change.bump for change in changes))


def _change(contract: DataContract, what: str, grade: Grade, line: int | None = None, **fields: Any) -> Change:
    values = {"kind": "contract", "effect": "none" if grade in (WORDING, NOTABLE) else "rebuild", **fields}
    return Change(file=contract.file, line=line, subject=contract.name, what=what, **grade._asdict(), **values)


def _whole(base: DataContract, head: DataContract) -> Iterator[Change]:
    if base.id != head.id:
        yield _change(head, f"id: {base.id} → {head.id}", BOTH)
    if base.status != head.status:
        grade = NOTABLE if head.status in ("deprecated", "retired") else WORDING
        yield _change(head, f"status: {base.status} → {head.status}", grade)
    for field in ("description", "owners"):
        if getattr(base, field) != getattr(head, field):
            yield _change(head, f"{field} changed", WORDING)
    for field, what in (("servers", "where the rows come from"), ("physical_name", "the table's name in its source")):
        if getattr(base, field) != getattr(head, field):
            yield _change(head, f"{what} changed", WORDING, effect="rebuild")
    if base.label_delay != head.label_delay:
        yield _change(head, f"label delay: {_shown(base.label_delay)} → {_shown(head.label_delay)}", NOTABLE)


def _columns(base: DataContract, head: DataContract) -> Iterator[Change]:
    before = {column.name: column for column in base.columns}
    after = {column.name: column for column in head.columns}
    for name in before.keys() - after.keys():
        yield _change(head, f"column {name} removed", LOOSER if head.derivation else BOTH)
    for name, column in after.items():
        if name not in before:
            yield _added(head, column)
        else:
            yield from _column(head, before[name], column)
    kept = [[name for name in order if name in before and name in after] for order in (before, after)]
    if kept[0] != kept[1]:
        yield _change(head, "columns in another order", WORDING, effect="rebuild")


def _added(head: DataContract, column: Column) -> Change:
    demanded = (column.required or column.primary_key) and head.derivation is None
    what = f"{'required' if column.required else 'optional'} column {column.name} added"
    return _change(head, what, DEMANDED if demanded else ADDED, column.line)


def _column(head: DataContract, before: Column, after: Column) -> Iterator[Change]:
    for field, grade in COLUMN_FIELDS.items():
        old, new = getattr(before, field), getattr(after, field)
        if old != new:
            what = f"{after.name}: {field.replace('_', ' ')} {_shown(old)} → {_shown(new)}"
            if field == "description":
                what = f"{after.name}: description changed; make sure that the meaning did not"
            # Known earlier is a stronger promise, and lets guards take a column that they refused as leaking.
            loosens = field == "available_at" and grade(old, new) == EARLIER
            yield _change(head, what, grade(old, new), after.line, loosens=loosens)


def _always(grade: Grade) -> Callable[[Any, Any], Grade]:
    return lambda old, new: grade


def _promise(old: bool, new: bool) -> Grade:
    return TIGHTER if new else LOOSER


def _bound(lower: bool) -> Callable[[Any, Any], Grade]:
    def grade(old: Any, new: Any) -> Grade:
        if old is None or new is None:
            return TIGHTER if old is None else LOOSER
        before, after = _comparable(old), _comparable(new)
        if type(before) is not type(after):
            return UNCLEAR
        return TIGHTER if (after > before) == lower else LOOSER

    return grade


def _enum(old: Any, new: Any) -> Grade:
    if old is None or new is None:
        return TIGHTER if old is None else LOOSER
    if set(old) == set(new):
        return WORDING
    return TIGHTER if set(new) < set(old) else LOOSER


def _pattern(old: Any, new: Any) -> Grade:
    if old is None or new is None:
        return TIGHTER if old is None else LOOSER
    return UNCLEAR


def _unit(old: Any, new: Any) -> Grade:
    return NOTABLE if old is None else BOTH


def _available_at(old: timedelta | None, new: timedelta | None) -> Grade:
    """Later, or no longer promised: a model may read the column before it is there."""
    if new is None or (old is not None and new > old) or (old is None and new > timedelta(0)):
        return LOOSER
    return EARLIER


# Every attribute of a column but its name and line.
COLUMN_FIELDS: dict[str, Callable[[Any, Any], Grade]] = {
    "logical_type": _always(BOTH),
    "physical_type": _always(BOTH),
    "role": _always(BOTH),
    "modality": _always(BOTH),
    "language": _always(BOTH),
    "image": _always(BOTH),
    "series": _always(BOTH),
    "horizon": _always(BOTH),
    "unit": _unit,
    "available_at": _available_at,
    "required": _promise,
    "unique": _promise,
    "primary_key": _promise,
    "enum": _enum,
    "minimum": _bound(lower=True),
    "exclusive_minimum": _bound(lower=True),
    "min_length": _bound(lower=True),
    "maximum": _bound(lower=False),
    "exclusive_maximum": _bound(lower=False),
    "max_length": _bound(lower=False),
    "pattern": _pattern,
    "classification": _always(NOTABLE),
    "description": _always(WORDING),
}


def _rules(base: DataContract, head: DataContract) -> Iterator[Change]:
    before = {rule.name: rule for rule in base.rules if rule.kind in _STANDING}
    after = {rule.name: rule for rule in head.rules if rule.kind in _STANDING}
    for name in before.keys() - after.keys():
        yield _change(head, f"rule {name} removed", LOOSER)
    for name, rule in after.items():
        if name not in before:
            yield _change(head, f"rule {name} added", TIGHTER, rule.line)
        elif before[name] != rule and before[name].model_dump() != rule.model_dump():
            what = f"rule {name}: {_asks(before[name])} → {_asks(rule)}"
            yield _change(head, what, _rule(before[name], rule), rule.line)


def _rule(old: Rule, new: Rule) -> Grade:
    """Which way a rule went, where one attribute alone tells it."""
    different = {field for field in Rule.model_fields if field != "line" and getattr(old, field) != getattr(new, field)}
    if different == {"severity"}:
        return TIGHTER if new.severity == "error" else LOOSER
    numbers = all(isinstance(rule.value, int | float) for rule in (old, new))
    if different == {"value"} and numbers and old.kind != "sql":
        if old.kind == "freshness" or old.operator in _LESS:
            return TIGHTER if new.value < old.value else LOOSER
        if old.operator in _MORE:
            return TIGHTER if new.value > old.value else LOOSER
    return UNCLEAR


def _derivation(base: DataContract, head: DataContract) -> Iterator[Change]:
    old, new = base.derivation, head.derivation
    if old is None or new is None:
        if old is not new:
            what = "derived by SQL" if new else "read from a source"
            yield _change(head, f"the dataset is now {what}", UNCLEAR, kind="derivation")
        return
    file = {"file": new.file, "kind": "derivation", "effect": "rebuild"}
    if old.inputs != new.inputs:
        what = f"derived from {', '.join(old.inputs)} → {', '.join(new.inputs)}"
        yield _change(head, what, NOTABLE, new.line, kind="derivation", effect="rebuild")
    if old.sql != new.sql:
        same = _meaning(old.sql) == _meaning(new.sql)
        what, grade = ("SQL: comments or spacing", WORDING) if same else ("SQL changed", NOTABLE)
        yield _change(head, what, grade).model_copy(update=file)


def _meaning(sql: str) -> str:
    import sqlglot

    return sqlglot.parse_one(sql, dialect="duckdb").sql(dialect="duckdb", comments=False)


def _comparable(value: Any) -> Any:
    if not isinstance(value, str):
        return float(value)
    try:
        return parse_bound("timestamp", value)
    except ValueError:
        return value


def _asks(rule: Rule) -> str:
    unit = " percent" if rule.unit == "percent" else ""
    return f"{rule.operator or rule.kind} {_shown(rule.value)}{unit}{'' if rule.severity == 'error' else ' (warning)'}"


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        text = ", ".join(map(str, value))
        return f"[{text[:60]}{'...' if len(text) > 60 else ''}]"
    return "none" if value is None else str(value)
