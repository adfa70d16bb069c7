"""Guards on the split: what it needs from the contract, and whether anything is left to train on."""

from collections.abc import Iterator

from .contract import DataContract, LogicalType, Role
from .errors import Problem
from .guard_columns import find, unknown_column
from .spec import GroupSplit, ModelSpec, StratifiedSplit, TimeSplit
from .yamlfile import Document, Location

SMALLEST_TRAINING_SHARE = 0.2
_TIMES = (LogicalType.TIMESTAMP, LogicalType.DATE)


def check_split(spec: ModelSpec, contract: DataContract, at: Document) -> Iterator[Problem]:
    """What the kind of split asks of the contract, and the sizes of its parts."""
    match spec.split:
        case TimeSplit():
            yield from _check_time(contract, at)
        case GroupSplit(column=name):
            yield from _check_group(spec, name, contract, at)
        case StratifiedSplit():
            yield from _check_stratified(spec, at)
    yield from _check_ids(contract, at)
    yield from _check_sizes(spec, at)


def _check_time(contract: DataContract, at: Document) -> Iterator[Problem]:
    times = contract.with_role(Role.EVENT_TIME)
    if len(times) != 1 or times[0].logical_type not in _TIMES:
        message = f"a split by time needs one timestamp column with threeacts.role: event_time in {contract.name}."
        yield at.problem(
            ("split", "by"), message, f"Add the role in {contract.file}, or split otherwise.", code="split"
        )


def _check_group(spec: ModelSpec, name: str, contract: DataContract, at: Document) -> Iterator[Problem]:
    loc: Location = ("split", "column")
    column = find(contract, name)
    if column is None:
        yield unknown_column(name, contract, at, loc)
        return
    if column.role != Role.GROUP:
        message = f"{name} is no group in the contract {contract.name}."
        yield at.problem(loc, message, f"Give it threeacts.role: group in {contract.file}.", code="split")
    if name in spec.features.names:
        message = f"{name} splits the rows by whole groups, so its values in the holdout are never seen in training."
        yield at.problem(loc, message, "Remove it from the features, or split otherwise.", code="split")


def _check_ids(contract: DataContract, at: Document) -> Iterator[Problem]:
    if not contract.with_role(Role.ID):
        message = f"rows are split and judged by their id, and no column of {contract.name} has that role."
        yield at.problem(("split", "by"), message, f"Give one threeacts.role: id in {contract.file}.", code="split")


def _check_stratified(spec: ModelSpec, at: Document) -> Iterator[Problem]:
    loc: Location = ("split", "by")
    if spec.task == "regression":
        yield at.problem(
            loc, "a stratified split needs classes, this is a regression.", "Split by time or group.", code="split"
        )


def _check_sizes(spec: ModelSpec, at: Document) -> Iterator[Problem]:
    sizes = (spec.split.validation, spec.split.holdout.size)
    shares = [size for size in sizes if isinstance(size, float)]
    if not isinstance(spec.split, TimeSplit) and len(shares) < len(sizes):
        message = "a duration needs a split by time."
        yield at.problem(("split", "holdout", "size"), message, "Write a share such as 0.2.", code="split")
    if 1.0 - sum(shares) < SMALLEST_TRAINING_SHARE:
        message = f"validation and holdout take {sum(shares):.0%} and leave too little to train on."
        yield at.problem(
            ("split", "validation"), message, f"Leave at least {SMALLEST_TRAINING_SHARE:.0%}.", code="split"
        )
