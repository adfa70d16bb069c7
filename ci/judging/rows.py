"""The rows that judge: named by the base branch's contract and split, read from both snapshots, paired by id.

The base branch's snapshot says which rows belong to which part and what their labels are. The challenger reads those
rows from the pull request's snapshot (its SQL may have changed the columns), the champion from the base branch's.
"""

from __future__ import annotations

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


def leaked_rows(spec: ModelSpec, sources: Sources, holdout: JudgedRows) -> int:
    """How many of the holdout's ids stand in the rows that the pull request's own spec let its build see."""
    import polars as pl

    from dagster_project.data.splits import read_parts

    key = _id(sources.base_contract)
    parts = read_parts(spec, sources.head_contract, sources.head)
    seen = pl.concat([parts["train"].select(key), parts["validation"].select(key)])
    return int(seen.join(holdout.champion.select(key), on=key, how="semi").height)


def leak_finding(rows: int) -> Finding:
    """The build could see what was to judge it."""
    what = f"{rows} rows of the holdout stand in the rows that the build could see"
    return _refused("holdout", what, "Leave the split and the event time as the base branch has them.")


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
