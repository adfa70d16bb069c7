"""The way of rows into a snapshot: typed, checked, parted, hashed and staged, a batch at a time."""

from typing import TYPE_CHECKING

from upath import UPath

from dagster_project.data.column_statistics import Statistics, describe_rows, merge
from dagster_project.data.digests import MODULUS, rows_sum
from dagster_project.data.logical import cast_typed, parse_text
from dagster_project.data.records import Tally
from dagster_project.data.rule_findings import finding, shown, type_finding
from dagster_project.data.rule_terms import ELSEWHERE, is_row_rule, rules_of
from dagster_project.data.rules import BROKEN_RULES, check_types, part_rows, tally_rows, with_samples
from dagster_project.data.sources.parts import Part, UnreadableError, batches, unreadable
from dagster_project.data.tables import Staged, discard, stage
from dagster_project.domain.contract import Column, DataContract, Rule
from dagster_project.domain.verdict import Finding, Outcome

if TYPE_CHECKING:
    import polars as pl


class Intake:
    """Collects parts; nothing of it is seen before a commit names ``staged``."""

    def __init__(self, contract: DataContract, folder: UPath) -> None:
        self.contract, self.folder = contract, folder
        self.rules: tuple[Rule, ...] = tuple(rule for rule in rules_of(contract) if rule.kind not in ELSEWHERE)
        self.quarantine = folder / "quarantine"
        self.staged: list[Staged] = []
        self.set_aside: list[Staged] = []
        self.total, self.read = 0, 0
        self.tally = Tally()
        self.broken: dict[str, int] = {}
        self.samples: dict[str, Finding] = {}
        self.statistics: Statistics = {}
        self.faults: list[Finding] = []

    def take(self, part: Part) -> None:
        """Read one part; what is wrong with it as a whole is added to ``faults``."""
        from polars.exceptions import PolarsError

        try:
            types = check_types(part.scan(), self.contract, text=part.text)
            self.faults += [_of(part, fault) for fault in types if fault.outcome is Outcome.FAILED]
            if not self.faults:
                for batch in batches(part):
                    self._take_batch(batch, part)
        except UnreadableError as error:
            self.faults.append(finding("source", self.contract, Outcome.FAILED, str(error), error.hint))
        except (PolarsError, OSError) as error:
            fault = unreadable(part.mark.path, error)
            self.faults.append(finding("source", self.contract, Outcome.FAILED, str(fault), fault.hint))

    def drop(self) -> None:
        """Remove what was staged."""
        discard(self.folder / "rows", tuple(s.name for s in self.staged))
        discard(self.quarantine, tuple(s.name for s in self.set_aside))

    def _take_batch(self, batch: "pl.DataFrame", part: Part) -> None:
        if batch.height == 0:
            return
        typed = self._typed(batch, part)
        if self.faults:
            return
        tally = tally_rows(typed.lazy(), self.contract, self.rules)
        self.read += typed.height
        good = self._part(typed, tally) if self._breaks(tally) else typed
        if good.height < typed.height:
            tally = tally_rows(good.lazy(), self.contract, self.rules)
        self.tally = self.tally.plus(tally)
        self.total = (self.total + rows_sum(good)) % MODULUS
        self.statistics = merge(self.statistics, describe_rows(good, self.contract))
        if good.height:
            self.staged.append(stage(good, self.folder / "rows"))

    def _breaks(self, tally: Tally) -> bool:
        return any(tally.counts[rule.name] for rule in self.rules if _quarantines(rule))

    def _part(self, typed: "pl.DataFrame", tally: Tally) -> "pl.DataFrame":
        """The good rows; the others are staged for quarantine and counted by rule."""
        good, bad = part_rows(typed, self.contract, self.rules)
        self.set_aside.append(stage(bad, self.quarantine))
        for rule in self.rules:
            if _quarantines(rule) and tally.counts[rule.name]:
                self.broken[rule.name] = self.broken.get(rule.name, 0) + tally.counts[rule.name]
                if rule.name not in self.samples:
                    rows = bad.drop(BROKEN_RULES).lazy()
                    empty = finding(rule.name, self.contract, Outcome.WARNED, "")
                    self.samples[rule.name] = with_samples(empty, rule, self.contract, rows)
        return good

    def _typed(self, batch: "pl.DataFrame", part: Part) -> "pl.DataFrame":
        """The contract's columns in its order and types; a value that is no such thing is a fault of the source."""
        import polars as pl

        columns = []
        for column in self.contract.columns:
            raw = batch[column.name]
            typed = _as_kept(raw, column, part)
            if typed.null_count() != raw.null_count():
                self.faults.append(_of(part, self._misfit(column, raw, typed)))
            columns.append(typed.alias(column.name))
        return pl.DataFrame(columns)

    def _misfit(self, column: Column, raw: "pl.Series", typed: "pl.Series") -> Finding:
        wrong = raw.filter(raw.is_not_null() & typed.is_null())
        words = ", ".join(f"`{shown(value, column)}`" for value in wrong.unique(maintain_order=True).head(3))
        expected = column.logical_type.value
        fault = type_finding(
            self.contract, column.name, expected, f"{len(wrong):,} other values, such as {words}", column.line
        )
        return fault.model_copy(update={"value": str(len(wrong))})


def _as_kept(raw: "pl.Series", column: Column, part: Part) -> "pl.Series":
    import polars as pl

    if column.modality == "image" and raw.dtype == pl.String:
        return pl.Series(column.name, [_read(name, part) for name in raw.to_list()], dtype=pl.Binary)
    return parse_text(raw, column) if part.text else cast_typed(raw, column)


def _read(name: str | None, part: Part) -> bytes | None:
    """The file that a row names; None where there is none, which the caller counts."""
    try:
        return part.beside(name) if name and part.beside else None
    except (OSError, ValueError):  # a name with a null byte is no path
        return None


def _quarantines(rule: Rule) -> bool:
    return is_row_rule(rule) and rule.severity == "error"


def _of(part: Part, fault: Finding) -> Finding:
    return fault.model_copy(update={"summary": f"{part.mark.path}: {fault.summary}"})
