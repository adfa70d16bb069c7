"""deepchecks' three suites as findings: on a dataset's new version, and on a model's answers.

deepchecks is AGPL-3.0: quality runs in CI and in pipelines, never in the serving process.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from dagster_project.domain.contract import Condition, DataContract
from dagster_project.domain.families import Task
from dagster_project.domain.gates import DeepchecksGate, Suite
from dagster_project.domain.verdict import Finding, Outcome
from dagster_project.quality.answers import Predict, Predictions, repeater, timed
from dagster_project.quality.catalogue import ALONE, LEFT_OUT, NOT_BETWEEN_VERSIONS, SAME_ROWS, SUITES
from dagster_project.quality.library import load
from dagster_project.quality.page import Displays, fragment, page
from dagster_project.quality.plan import Check, Rulebook, checks_of
from dagster_project.quality.properties import property_names
from dagster_project.quality.rows import Layout, as_polars, dataset, layout_of, shared
from dagster_project.quality.run import Job, Ran, run_jobs
from dagster_project.quality.sidebyside import usable_processes

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

    Frame: TypeAlias = pl.DataFrame | pl.LazyFrame | pd.DataFrame


@dataclass(frozen=True)
class QualityReport:
    """Every check of every suite as a finding; ``html``: a self-contained page for each suite."""

    findings: tuple[Finding, ...]
    html: dict[str, str]
    seconds: float


@dataclass(frozen=True)
class ModelRows:
    """What a model is judged on: labelled rows of train and validation, and the ONNX file's answers to them.

    ``importances``: share of each feature, not negative. ``predict``: the ONNX file
    itself on a frame of the features, for its clock.
    """

    train: "Frame"
    validation: "Frame"
    train_predictions: Predictions
    validation_predictions: Predictions
    importances: Mapping[str, float]
    predict: Predict


def run_data_suites(
    contract: DataContract,
    head: "Frame",
    base: "Frame | None" = None,
    *,
    displays: Displays = "problems",
    processes: int | None = None,
) -> QualityReport:
    """data_integrity on the head's rows and, with a base version, train_test_validation of base against head.

    What the contract declares fails with its own severity; a condition that nobody declared only warns.

    Raises:
        UserFileError: the contract declares a check or condition that deepchecks does not have.
    """
    started = time.perf_counter()
    head = as_polars(head)
    frames = [head] if base is None else [as_polars(base), head]
    layout = shared(layout_of(contract), frames)
    rules = Rulebook("warning", contract.conditions, file=contract.file)
    jobs = _integrity_jobs(checks_of("data_integrity", rules), head, layout, "dataset", displays)
    skipped: list[Check] = []
    if base is not None:
        old, new = frames
        declared = {condition.check for condition in contract.conditions}
        checks = checks_of("train_test_validation", rules)
        skipped = [c for c in checks if c.name in NOT_BETWEEN_VERSIONS and c.name not in declared]
        jobs += _version_jobs([c for c in checks if c not in skipped], old, new, layout, displays)
    ran = run_jobs(jobs, processes or usable_processes(), displays)
    ran += [_not_run(check.suite, check.name, NOT_BETWEEN_VERSIONS[check.name]) for check in skipped]
    if base is not None:
        ran.append(_columns_compared(layout_of(contract), frames))
    return _report(ran, started)


def run_model_suite(
    contract: DataContract,
    features: Sequence[str],
    target: str,
    task: Task,
    rows: ModelRows,
    *,
    gate: DeepchecksGate | None = None,
    displays: Displays = "problems",
    processes: int | None = None,
) -> QualityReport:
    """The gate's suites (all three without a gate): train, train against validation, and the model's answers.

    Every condition of the library and of the contract must hold, but for checks that the gate allows to warn.

    Raises:
        UserFileError: the contract declares a check or condition that deepchecks does not have.
    """
    started = time.perf_counter()
    train, validation = as_polars(rows.train), as_polars(rows.validation)
    layout = layout_of(contract, features, target, task)
    rules = Rulebook("error", _model_conditions(contract, layout, gate), gate.allow if gate else (), contract.file)
    suites: Sequence[Suite] = gate.suites if gate else ("data_integrity", "train_test_validation", "model_evaluation")
    jobs: list[Job] = []
    left_out: list[Ran] = []
    for suite in suites:
        checks = checks_of(suite, rules)
        if suite == "data_integrity":
            jobs += _integrity_jobs(checks, train, layout, "train", displays)
        elif suite == "train_test_validation":
            jobs += _comparison_jobs(checks, _contexts(train, validation, layout, displays))
        else:
            jobs += _evaluation_jobs(checks, train, validation, layout, rows, displays)
            left_out += [_not_run(suite, name, reason) for name, reason in LEFT_OUT.items()]
    return _report(run_jobs(jobs, processes or usable_processes(), displays) + left_out, started)


def _model_conditions(contract: DataContract, layout: Layout, gate: DeepchecksGate | None) -> tuple[Condition, ...]:
    """The gate's own, and the contract's for other checks, on the columns that the model reads."""
    own = gate.conditions if gate else ()
    named = {condition.check for condition in own}
    kept = []
    for condition in contract.conditions:
        columns = condition.arguments.get("columns")
        read = [name for name in columns if name in layout.features] if columns else columns
        if condition.check in named or (columns and not read):
            continue
        arguments = {**condition.arguments, "columns": read} if columns else condition.arguments
        kept.append(condition.model_copy(update={"arguments": arguments}))
    return (*own, *kept)


def _contexts(
    train: "pl.DataFrame", validation: "pl.DataFrame | None", layout: Layout, displays: Displays
) -> Callable[[Check], Any]:
    """The context of each check: texts that are alike in their properties are not the same rows."""
    seen = _context(train, validation, layout, displays)
    whole = _context(train, validation, layout.as_they_are(), displays) if layout.described else seen
    return lambda check: whole if check.name in SAME_ROWS else seen


def _context(
    train: "pl.DataFrame", validation: "pl.DataFrame | None", layout: Layout, displays: Displays, **model: Any
) -> Any:
    library = load()
    first = dataset(train, layout, 0, "train")
    second = dataset(validation, layout, len(train), "validation") if validation is not None else None
    return library.Context(first, second, with_display=displays != "none", **model)


def _integrity_jobs(
    checks: Sequence[Check], frame: "pl.DataFrame", layout: Layout, rows: str, displays: Displays
) -> list[Job]:
    context = _contexts(frame, None, layout, displays)
    return [Job(check, context(check), _kind("TRAIN"), rows, check.name) for check in checks]


def _comparison_jobs(
    checks: Sequence[Check], context: Callable[[Check], Any], rows: str = "train, validation"
) -> list[Job]:
    """A check of single rows that a contract declares in a comparing suite runs on the later ones."""
    return [Job(check, context(check), None if check.compares else _kind("TEST"), rows, check.name) for check in checks]


def _version_jobs(
    checks: Sequence[Check], old: "pl.DataFrame", new: "pl.DataFrame", layout: Layout, displays: Displays
) -> list[Job]:
    """Base against head; and head against base for the categories that went away."""
    jobs = _comparison_jobs(checks, _contexts(old, new, layout, displays), "base, head")
    backwards = _context(new, old, layout, displays)
    gone = [check for check in checks if check.name == "NewCategoryTrainTest"]
    return jobs + [Job(check, backwards, None, "base, head", "RemovedCategories") for check in gone]


def _evaluation_jobs(
    checks: Sequence[Check],
    train: "pl.DataFrame",
    validation: "pl.DataFrame",
    layout: Layout,
    rows: ModelRows,
    displays: Displays,
) -> list[Job]:
    import pandas as pd
    import polars as pl

    shares = pd.Series(_shares(rows.importances, layout))
    shares = shares / shares.sum() if shares.sum() > 0 else shares + 1 / len(shares)
    model = repeater(rows.train_predictions, rows.validation_predictions)
    context = _context(train, validation, layout, displays, model=model, feature_importance=shares)
    features = pl.concat([part.select(layout.read) for part in (train, validation)], how="vertical_relaxed")
    clocked = timed(rows.predict, model, features)
    clock = _context(train, validation, layout, displays, model=clocked, feature_importance=shares)
    jobs = []
    for check in checks:
        here = clock if check.name in ALONE else context
        if check.compares:
            jobs.append(Job(check, here, None, "train, validation", check.name))
        else:
            jobs += [
                Job(check, here, _kind(kind), part, check.name)
                for kind, part in (("TRAIN", "train"), ("TEST", "validation"))
            ]
    return jobs


def _shares(importances: Mapping[str, float], layout: Layout) -> dict[str, float]:
    """Of each feature that deepchecks sees, none negative; a text's or an image's is shared by its properties."""
    found = {name: max(0.0, importances.get(name, 0.0)) for name in layout.features}
    for column in layout.described:
        properties = property_names(column)
        found |= dict.fromkeys(properties, max(0.0, importances.get(column.name, 0.0)) / len(properties))
    return found


def _kind(name: str) -> Any:
    load()
    from deepchecks.core.checks import DatasetKind

    return DatasetKind[name]


def _not_run(suite: str, check: str, reason: str) -> Ran:
    finding = Finding(
        name=check, source="deepchecks", outcome=Outcome.NOT_APPLICABLE, summary=f"left out: {reason}", suite=suite
    )
    return Ran(finding, fragment(finding, (), "none"))


def _columns_compared(layout: Layout, frames: "Sequence[pl.DataFrame]") -> Ran:
    """A column that only one version has cannot be compared: said, not hidden."""
    old, new = (set(frame.columns) & {*layout.columns, *layout.read} for frame in frames)
    only = {"only in base": sorted(old - new), "only in head": sorted(new - old)}
    said = "; ".join(f"{where}: {', '.join(names)}" for where, names in only.items() if names)
    finding = Finding(
        name="ColumnsCompared",
        source="deepchecks",
        outcome=Outcome.WARNED if said else Outcome.PASSED,
        summary=f"{len(old & new)} columns compared" + (f"; {said}" if said else ""),
        suite="train_test_validation",
        rows="base, head",
        details=only,
    )
    return Ran(finding, fragment(finding, (), "none"))


def _report(ran: Sequence[Ran], started: float) -> QualityReport:
    pages = {}
    for suite in SUITES:
        of_suite = [one for one in ran if one.finding.suite == suite]
        if of_suite:
            counts = Counter(str(one.finding.outcome) for one in of_suite)
            pages[suite] = page(suite, [one.html for one in of_suite], dict(counts))
    return QualityReport(tuple(one.finding for one in ran), pages, round(time.perf_counter() - started, 3))
