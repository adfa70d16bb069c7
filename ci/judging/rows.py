"""The rows that judge: named by the base branch's contract and split, read from both snapshots, paired by id.

The base branch's snapshot says which rows belong to which part and what their labels are. The challenger reads those
rows from the pull request's snapshot (its SQL may have changed the columns), the champion from the base branch's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagster_project.domain.contract import DataContract, Role
from dagster_project.domain.errors import RefusedError
from dagster_project.domain.snapshot import Snapshot
from dagster_project.domain.spec import ModelSpec
from dagster_project.domain.trust import JudgingRules
from dagster_project.domain.verdict import Finding, Outcome

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from dagster_project.data.splits import Part

SEEN: tuple[Part, ...] = ("train", "validation")
"""Parts that a build is given."""


@dataclass(frozen=True)
class JudgedRows:
    """One part of the split. Row i of each frame is the same event; ``labels`` are the base branch's."""

    challenger: pl.DataFrame
    champion: pl.DataFrame
    labels: np.ndarray
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Sources:
    """Both snapshots of the model's dataset. Where the pull request leaves the rows alone they are the same.

    ``base_made`` and ``head_made`` are the snapshots that each was made of, by dataset, with itself.
    """

    base: Snapshot
    head: Snapshot
    base_contract: DataContract
    head_contract: DataContract
    base_made: Mapping[str, Snapshot]
    head_made: Mapping[str, Snapshot]

    @property
    def same(self) -> bool:
        """Whether the pull request leaves the rows alone."""
        return self.base.digest == self.head.digest


def judged_rows(rules: JudgingRules, sources: Sources) -> dict[str, JudgedRows]:
    """Train, validation and holdout rows for the challenger and the champion.

    Raises:
        RefusedError: a part would be empty, or the pull request has none of its rows.
    """
    from dagster_project.data.splits import read_parts

    parts = read_parts(rules.spec, sources.base_contract, sources.base)
    return {part: _judged(part, rows, rules.spec.target, sources) for part, rows in parts.items()}


def _judged(part: Part, champion: pl.DataFrame, target: str, sources: Sources) -> JudgedRows:
    if sources.same:
        return JudgedRows(champion, champion, champion[target].to_numpy())
    challenger = _paired(champion, sources)
    key = id_names(sources.base_contract)
    kept = champion.join(challenger.select(key), on=key, how="semi")
    if kept.is_empty():
        raise RefusedError(f"all rows of the {part} are gone: no {', '.join(key)} is as before. Keep the rows' ids.")
    findings = _pairing_findings(part, champion, kept, challenger, target)
    return JudgedRows(challenger, kept, kept[target].to_numpy(), findings)


def seen_parts(
    spec: ModelSpec, rules: JudgingRules, sources: Sources, rows: Mapping[str, JudgedRows]
) -> dict[Part, pl.DataFrame]:
    """Train and validation rows as the pull request's own spec and SQL give them to its build."""
    from dagster_project.data.splits import read_parts

    if sources.same and spec.split == rules.spec.split and spec.target == rules.spec.target:
        return {part: rows[part].challenger for part in SEEN}
    parts = read_parts(spec, sources.head_contract, sources.head)
    return {part: parts[part] for part in SEEN}


def leak_findings(sources: Sources, seen: Mapping[Part, pl.DataFrame], holdout: pl.DataFrame) -> tuple[Finding, ...]:
    """Whether rows of the holdout stand, by their ids, in the rows that the build could see."""
    key = id_names(sources.base_contract)
    found = sum(part.join(holdout.select(key), on=key, how="semi").height for part in seen.values())
    if not found:
        return ()
    what = f"{found} rows of the holdout stand in the rows that the build could see"
    return (refused("holdout", what, "Leave split, event time and rows as the base branch has them."),)


def _paired(champion: pl.DataFrame, sources: Sources) -> pl.DataFrame:
    """The head's rows with the base's ids, in the base's order."""
    from dagster_project.data.datasets import read

    key = id_names(sources.base_contract)
    return champion.select(key).join(read(sources.head).collect(), on=key, how="inner", maintain_order="left")


def id_names(contract: DataContract) -> list[str]:
    """Columns that name a row."""
    return [column.name for column in contract.with_role(Role.ID)]


def _pairing_findings(
    part: str, base: pl.DataFrame, kept: pl.DataFrame, head: pl.DataFrame, target: str
) -> tuple[Finding, ...]:
    found = []
    lost = base.height - kept.height
    if lost:
        found.append(
            refused(part, f"{lost} of the {part}'s {base.height} rows are gone", "Keep every row of the base.")
        )
    changed = int((kept[target] != head[target]).fill_null(True).sum())
    if changed:
        found.append(
            refused(
                part, f"{changed} labels of the {part}'s rows changed", "Change labels in a pull request of their own."
            )
        )
    return tuple(found)


def refused(part: str, what: str, hint: str) -> Finding:
    """A finding on a part's rows that fails the verdict."""
    return Finding(
        name=f"{part} rows", source="trust", outcome=Outcome.FAILED, summary=f"{what}.", hint=hint, rows=part
    )
