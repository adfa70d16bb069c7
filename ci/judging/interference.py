"""Whether the holdout flows into the rows that a build could see: it is taken away, and nothing may change.

Noninterference (Goguen and Meseguer, "Security Policies and Security Models", 1982), tested: the pull request's SQL
runs once more on sources without the holdout, through the whole chain of derived datasets, and the train and validation
rows that come out must be those of the full run in all columns.

What is taken: split by time, each source's rows from the holdout's beginning on, by the source's own event time; in
every split the holdout's rows by their ids (by group, where that is what is split) in sources that carry these columns.
A source with neither is static and stays. Split, ids and event times are the base branch's.

So a row may be made of whatever lies before the holdout. Train and validation end the split's ``gap`` earlier: a label
that is known later passes where it looks no further ahead than the gap.

What can't be tested promotes nothing, like what is loosened: see ``strange_sources``, and sources from which the
holdout's rows still come out.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ci.judging.cut import Cut, cut_of, event_time, strange_sources
from ci.judging.rows import Sources, id_names, refused
from ci.judging.same import Change, change_between
from dagster_project.domain.errors import RefusedError, UserFileError
from dagster_project.domain.repository import Repository
from dagster_project.domain.snapshot import Snapshot
from dagster_project.domain.spec import ModelSpec
from dagster_project.domain.trust import JudgingRules
from dagster_project.domain.verdict import Finding

if TYPE_CHECKING:
    import polars as pl

    from dagster_project.data.splits import Part

MOST_LEFT = 0.05
"""Share of the holdout's rows that may come out of cut sources, such as the first hour where they know hours."""
MOST_CHANGED = 1e-5
"""Share of the rows that may change by chance: a sum that is added up in another order rounds otherwise."""
MOST_NAMED = 5
HINT = (
    "Make each row of what comes before the holdout: windows that end at the row, labels that look no further ahead "
    "than the split's gap. SQL must give the same rows each time it runs. See docs/verdicts.md."
)


@dataclass(frozen=True)
class Interference:
    """What the test found, and why it couldn't test everything."""

    findings: tuple[Finding, ...] = ()
    untested: tuple[str, ...] = ()


@dataclass(frozen=True)
class Probe:
    """One model's test. ``seen``: rows of the full run that its build could see; ``holdout``: the base branch's."""

    base: Repository
    head: Repository
    spec: ModelSpec
    rules: JudgingRules
    sources: Sources
    seen: Mapping[Part, pl.DataFrame]
    holdout: pl.DataFrame

    @property
    def is_due(self) -> bool:
        """Whether the rows changed, or the model is new to them; else a verdict stood on them before."""
        before = self.base.specs.get(self.spec.name)
        return not self.sources.same or before is None or before.contract.name != self.spec.contract.name

    def run(self) -> Interference:
        """Run the SQL once more and compare. Nothing is written but into a temporary folder.

        Raises:
            MachineryError: the sandbox or a disk broke.
        """
        untested = () if self.sources.same else tuple(strange_sources(self.base, self.head, self.sources))
        if self.sources.head_contract.derivation is None:
            return Interference(untested=untested)
        try:
            again = self._again()
        except (UserFileError, RefusedError) as error:
            what = f"without the holdout's rows the SQL does not run: {str(error).rstrip('.')}"
            return Interference((refused("holdout", what, HINT),), untested)
        return Interference(self._findings(again), (*untested, *self._left(again)))

    def _again(self) -> pl.DataFrame:
        """The dataset's labelled rows, made of sources without the holdout."""
        import polars as pl

        names, target = self.sources.head_contract.column_names, self.spec.target
        with tempfile.TemporaryDirectory(prefix="threeacts-interference-") as folder:
            rows = pl.scan_parquet(self._made_in(Path(folder))).select(names)
            return rows.filter(pl.col(target).is_not_null()).collect()

    def _made_in(self, folder: Path) -> list[str]:
        """The dataset's files, after those of everything that it is derived from."""
        from dagster_project.data.derived import derive_aside

        cut = cut_of(self.rules.spec, self.sources.base_contract, self.holdout)
        files: dict[str, list[str]] = {}
        for name, snapshot in self.sources.head_made.items():
            contract = self.head.contracts[name]
            if contract.derivation is None:
                files[name] = self._without(cut, snapshot, folder)
            else:
                files[name] = derive_aside(contract, {i: files[i] for i in contract.derivation.inputs}, folder / name)
        return files[self.sources.head.dataset]

    def _without(self, cut: Cut, source: Snapshot, folder: Path) -> list[str]:
        """Parquet files of a source without the holdout."""
        from dagster_project.data.datasets import read
        from dagster_project.data.tables import table_files

        contract = self.base.contracts.get(source.dataset, self.head.contracts[source.dataset])
        kept = cut.kept(read(source), event_time(contract))
        if kept is None:
            return table_files(source.uri, source.version)
        kept.sink_parquet(folder / f"{source.dataset}.parquet")
        return [str(folder / f"{source.dataset}.parquet")]

    def _findings(self, again: pl.DataFrame) -> tuple[Finding, ...]:
        import polars as pl

        from dagster_project.data.splits import seen_again

        once, contract = pl.concat(list(self.seen.values())), self.sources.head_contract
        found = change_between(once, seen_again(self.spec, contract, self.seen, again), id_names(contract))
        if found.rows <= MOST_CHANGED * once.height:
            return ()
        what = f"{found.rows} of the {once.height} rows that the build could see depend on the holdout"
        return (refused("holdout", f"{what}: without it {_words(found)}", HINT),)

    def _left(self, again: pl.DataFrame) -> tuple[str, ...]:
        """Why the cut took too little away for the test to say anything."""
        if self.sources.same:
            return ()
        left = again.join(self.holdout, on=id_names(self.sources.base_contract), how="semi").height
        if left <= MOST_LEFT * self.holdout.height:
            return ()
        why = f"{left} of the holdout's {self.holdout.height} rows come out of sources that neither a time nor ids cut"
        return (f"{self.sources.head_contract.file}: {why}, so what of them flows into other rows can't be tested",)


def _words(change: Change) -> str:
    named = ", ".join(change.columns[:MOST_NAMED]) or "number of copies"
    named += " and others" * (len(change.columns) > MOST_NAMED)
    told = {f"{change.others} have another {named}": change.others, f"{change.gone} are gone": change.gone}
    told[f"{change.new} are new"] = change.new
    return ", ".join(words for words, rows in told.items() if rows)
