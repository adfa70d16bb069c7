"""Which answers people are asked about: what others have begun, a random audit share, and the least certain ones.

Labels of the least certain rows (uncertainty sampling, Lewis and Gale 1994) help a model most and say little of how it
does: they are its hardest. The audit share is drawn at random, whatever the score, so that the bias can be seen.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from dagster_project.domain.monitoring import Review
from dagster_project.domain.review import SKIPS
from dagster_project.monitoring.agreement import Said, consensus
from dagster_project.storage.reviews import Done

if TYPE_CHECKING:
    import polars as pl

MOST_PEOPLE = 5
"""Who disagree are not asked for ever."""


@dataclass(frozen=True)
class Chosen:
    """A row to ask about: how many people in all, and who labelled it already."""

    row_id: str
    audit: bool
    wanted: int
    people: tuple[str, ...] = ()


@dataclass(frozen=True)
class Heard:
    """What people said of rows that have no natural truth: labels in the table, marks of servers, drawn for audit."""

    said: Mapping[str, Said] = field(default_factory=dict)
    done: Done = field(default_factory=dict)
    audits: frozenset[str] = frozenset()

    def people(self, row_id: str) -> tuple[str, ...]:
        """Who labelled the row, whether or not the label has come to the table."""
        marked = (who for who, action in self.done.get(row_id, {}).items() if action == "label")
        return tuple(sorted({*self.said.get(row_id, ()), *marked}))

    def dropped(self, row_id: str) -> bool:
        """Whether so many people skipped it that it is asked no more."""
        return sum(action == "skip" for action in self.done.get(row_id, {}).values()) >= SKIPS

    def rows(self) -> set[str]:
        """Those of which anything was heard."""
        return {*self.said, *self.done}


def choose(candidates: "pl.DataFrame", heard: Heard, review: Review, seed: str) -> list[Chosen]:
    """At most ``review.budget`` rows of ``candidates``: ``row_id`` and ``margin`` (null: nothing says how certain).

    ``seed`` is the same for a day: what is asked again on it draws the same rows.
    """
    import polars as pl

    there = set(candidates["row_id"].filter(candidates["row_id"].is_in(list(heard.rows()))))
    again = (_again(row_id, heard, review.twice) for row_id in sorted(there))
    begun = [row for row in again if row][: review.budget]
    settled = {row for row in there if heard.people(row) or heard.dropped(row)}
    new = candidates.filter(~pl.col("row_id").is_in(list(settled)))
    new = new.sort(pl.col("row_id").hash(int(sha256(seed.encode()).hexdigest()[:15], 16)), "row_id")
    left = review.budget - len(begun)
    certain = new["margin"].null_count() < new.height
    drawn = new.head(round(left * review.audit) if certain else left)
    least = new.slice(drawn.height).drop_nulls("margin").sort("margin", maintain_order=True).head(left - drawn.height)
    fresh = [(row_id, True) for row_id in drawn["row_id"]] + [(row_id, False) for row_id in least["row_id"]]
    return begun + [Chosen(row_id, audit, wanted(row_id, {}, review.twice)) for row_id, audit in fresh]


def wanted(row_id: str, said: Said, twice: float) -> int:
    """How many people shall label a row: two of the declared share, and one more where they disagree.

    Which rows are asked twice depends on the row alone, so that it stays so however often anybody asks.
    """
    if len(said) > 1 and consensus(said) is None:
        return min(len(said) + 1, MOST_PEOPLE)
    return 2 if int(sha256(row_id.encode()).hexdigest()[:13], 16) / 16**13 < twice else 1


def _again(row_id: str, heard: Heard, twice: float) -> Chosen | None:
    people, needed = heard.people(row_id), wanted(row_id, heard.said.get(row_id, {}), twice)
    if not 0 < len(people) < needed or heard.dropped(row_id):
        return None
    return Chosen(row_id, row_id in heard.audits, needed, people)
