"""Rules that need all rows at once, old and new: uniqueness, relationships and SQL. Only their columns are read."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from dagster_project.data.operators import describe, holds
from dagster_project.data.records import Tally, current_snapshot
from dagster_project.data.rule_findings import count_finding, finding
from dagster_project.data.rule_terms import KEYS, rules_of
from dagster_project.data.rules import SAMPLES, judge, key_of, tally_rows, with_samples
from dagster_project.data.sql import Limits, Query, run_queries
from dagster_project.data.tables import table_files
from dagster_project.domain.contract import DataContract, Rule
from dagster_project.domain.verdict import Finding, Outcome
from dagster_project.domain.workspace import Workspace

if TYPE_CHECKING:
    import polars as pl


def judge_whole(
    contract: DataContract, files: Sequence[str], tally: Tally, workspace: Workspace, limits: Limits
) -> tuple[Finding, ...]:
    """Findings of every dataset rule, over the Parquet ``files`` of all rows and their merged ``tally``."""
    import polars as pl

    frame = pl.scan_parquet(list(files))
    found = []
    for rule in rules_of(contract):
        if rule.kind in KEYS:
            found.append(_unique(rule, contract, frame))
        elif rule.kind == "gaps":
            found.append(_gaps(rule, contract, frame))
        elif rule.kind == "relationship":
            found.append(_relationship(rule, contract, frame, workspace))
        elif rule.kind == "row_count":
            found.append(judge(rule, contract, Tally(rows=tally.rows, counts={rule.name: tally.rows})))
    return (*found, *_sql_rules(contract, files, tally.rows, limits))


def _unique(rule: Rule, contract: DataContract, frame: "pl.LazyFrame") -> Finding:
    keys = frame.select(key_of(rule))
    found = judge(rule, contract, tally_rows(keys, contract, [rule]))
    return found if found.outcome is Outcome.PASSED else with_samples(found, rule, contract, keys)


def _gaps(rule: Rule, contract: DataContract, frame: "pl.LazyFrame") -> Finding:
    """Moments left out between the first and the last of each entity, all rows at the declared distance."""
    import polars as pl

    time, *groups = rule.columns
    every = timedelta(seconds=float(rule.value))
    ordered = frame.select(*groups, pl.col(time).cast(pl.Datetime("us"))).unique().sort(*groups, time)
    apart = pl.col(time).diff().over(groups) if groups else pl.col(time).diff()
    odd = ordered.with_columns(_apart=apart).filter(pl.col("_apart") != every)
    lost = pl.max_horizontal(pl.col("_apart") / every - 1, pl.lit(1.0)).sum().round().cast(pl.Int64)
    count, sample, rows = pl.collect_all([odd.select(lost), odd.head(SAMPLES), frame.select(pl.len())])
    found = count_finding(rule, contract, not count.item(), count.item(), "none", rows.item())
    said = [{**{name: str(row[name]) for name in groups}, time: str(row[time]), "after": str(row["_apart"])}
            for row in sample.rows(named=True)]  # fmt: skip
    return found.model_copy(update={"details": {**found.details, "samples": said}}) if said else found


def _relationship(rule: Rule, contract: DataContract, frame: "pl.LazyFrame", workspace: Workspace) -> Finding:
    """Rows whose key is in no row of the other dataset; null points nowhere and breaks nothing."""
    import polars as pl

    target, columns = str(rule.arguments["dataset"]), list(rule.arguments["columns"])
    snapshot = current_snapshot(target, workspace)
    if snapshot is None:
        message = f"there is no snapshot of {target} to look into"
        return finding(rule.name, contract, Outcome.BROKEN, message, f"Build {target} first.", rule.line)
    others = pl.scan_parquet(table_files(snapshot.uri, snapshot.version)).select(columns)
    whole = pl.all_horizontal(pl.col(name).is_not_null() for name in rule.columns)
    orphans = frame.select(rule.columns).filter(whole).join(others, how="anti", left_on=rule.columns, right_on=columns)
    count, rows = pl.collect_all([orphans.select(pl.len()), frame.select(pl.len())])
    return count_finding(rule, contract, count.item() == 0, count.item(), "none", rows.item())


def _sql_rules(contract: DataContract, files: Sequence[str], rows: int, limits: Limits) -> list[Finding]:
    rules = [rule for rule in rules_of(contract) if rule.kind == "sql"]
    if not rules:
        return []
    queries = [Query(str(rule.arguments["query"]), contract.file, rule.line, rule.name) for rule in rules]
    values = run_queries({contract.name: list(files)}, queries, limits)
    return [
        count_finding(
            rule,
            contract,
            holds(value, rule.operator, rule.value),
            value,
            describe(rule.operator, rule.value, rule.unit),
            rows,
        )
        for rule, value in zip(rules, values, strict=True)
    ]
