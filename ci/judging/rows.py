"""The rows that judge: named by the base branch's contract and split, read from both snapshots, paired by id.

The base branch's snapshot says which rows belong to which part and what their labels are. The challenger reads those
rows from the pull request's snapshot (its SQL may have changed the columns), the champion from the base branch's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagster_project.domain.contract import DataContract, Role
from dagster_project.domain.snapshot import Snapshot
from dagster_project.domain.spec import ModelSpec
from dagster_project.domain.trust import JudgingRules
from dagster_project.domain.verdict import Finding, Outcome

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from dagster_project.data.splits import Part

MOST_COPIES = 0.001
"""Share of the holdout that may have new copies by chance."""


@dataclass(frozen=True)
class JudgedRows:
    """One part of the split. Row i of each frame is the same event; ``labels`` are the base branch's."""

    challenger: pl.DataFrame
    champion: pl.DataFrame
    labels: np.ndarray
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Sources:
    """Both snapshots of the model's dataset. Where the pull request leaves the rows alone they are the same."""

    base: Snapshot
    head: Snapshot
    base_contract: DataContract
    head_contract: DataContract

    @property
    def same(self) -> bool:
        """Whether the pull request leaves the rows alone."""
        return self.base.digest == self.head.digest


def judged_rows(rules: JudgingRules, sources: Sources) -> dict[str, JudgedRows]:
    """Train, validation and holdout rows for the challenger and the champion.

    Raises:
        RefusedError: a part would be empty.
    """
    from dagster_project.data.splits import read_parts

    parts = read_parts(rules.spec, sources.base_contract, sources.base)
    return {part: _judged(part, rows, rules.spec.target, sources) for part, rows in parts.items()}


def _judged(part: Part, champion: pl.DataFrame, target: str, sources: Sources) -> JudgedRows:
    if sources.same:
        return JudgedRows(champion, champion, champion[target].to_numpy())
    challenger = _paired(champion, sources)
    kept = champion.join(challenger.select(_id(sources.base_contract)), on=_id(sources.base_contract), how="semi")
    findings = _pairing_findings(part, champion, kept, challenger, target)
    return JudgedRows(challenger, kept, kept[target].to_numpy(), findings)


def leak_findings(
    spec: ModelSpec, rules: JudgingRules, sources: Sources, rows: dict[str, JudgedRows]
) -> tuple[Finding, ...]:
    """What of the holdout stands in the rows that the pull request's own spec and SQL let its build see.

    By id, and by content: a row that was copied under another id and time. A timetable repeats itself, so only copies
    beyond those of the base branch's own snapshot count; columns that one of the two lacks are left out.
    """
    from dagster_project.data.splits import read_parts

    holdout, key = rows["holdout"], _id(sources.base_contract)
    if sources.same and spec.split == rules.spec.split and spec.target == rules.spec.target:
        seen = _seen({part: rows[part].challenger for part in ("train", "validation")})
    else:
        seen = _seen(read_parts(spec, sources.head_contract, sources.head))
    found = []
    by_id = seen.join(holdout.champion.select(key), on=key, how="semi").height
    if by_id:
        found.append(_leak(f"{by_id} rows of the holdout stand in the rows that the build could see"))
    if not sources.same:
        told = _told(sources)
        base = read_parts(spec, sources.base_contract, sources.base)
        copies = _copies(holdout.challenger, seen, told) - _copies(holdout.champion, _seen(base), told)
        if copies > MOST_COPIES * holdout.champion.height:
            found.append(_leak(f"{copies} more rows of the holdout have a copy in the rows that the build could see"))
    return tuple(found)


def _seen(parts: Mapping[Part, pl.DataFrame]) -> pl.DataFrame:
    import polars as pl

    return pl.concat([parts["train"], parts["validation"]])


def _told(sources: Sources) -> list[str]:
    """Columns that tell rows apart in both snapshots: neither ids nor the time."""
    named = {c.name for role in (Role.ID, Role.EVENT_TIME) for c in sources.base_contract.with_role(role)}
    common = set(sources.base_contract.column_names) & set(sources.head_contract.column_names)
    return sorted(common - named)


def _copies(holdout: pl.DataFrame, seen: pl.DataFrame, columns: list[str]) -> int:
    return holdout.select(columns).join(seen.select(columns), on=columns, how="semi", nulls_equal=True).height


def _leak(what: str) -> Finding:
    return _refused("holdout", what, "Leave split, event time and rows as the base branch has them.")


def _paired(champion: pl.DataFrame, sources: Sources) -> pl.DataFrame:
    """The head's rows with the base's ids, in the base's order."""
    from dagster_project.data.datasets import read

    key = _id(sources.base_contract)
    return champion.select(key).join(read(sources.head).collect(), on=key, how="inner", maintain_order="left")


def _id(contract: DataContract) -> list[str]:
    return [column.name for column in contract.with_role(Role.ID)]


def _pairing_findings(
    part: str, base: pl.DataFrame, kept: pl.DataFrame, head: pl.DataFrame, target: str
) -> tuple[Finding, ...]:
    found = []
    lost = base.height - kept.height
    if lost:
        found.append(
            _refused(part, f"{lost} of the {part}'s {base.height} rows are gone", "Keep every row of the base.")
        )
    changed = int((kept[target] != head[target]).fill_null(True).sum())
    if changed:
        found.append(
            _refused(
                part, f"{changed} labels of the {part}'s rows changed", "Change labels in a pull request of their own."
            )
        )
    return tuple(found)


def _refused(part: str, what: str, hint: str) -> Finding:
    return Finding(
        name=f"{part} rows", source="trust", outcome=Outcome.FAILED, summary=f"{what}.", hint=hint, rows=part
    )
