"""Performance on matured windows, window by window; one whose labels did not change is not measured again."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from dagster_project.domain.gates import SlicesGate
from dagster_project.domain.metrics import REPORTED
from dagster_project.domain.performance import MOST_WINDOWS, Part, PerformanceReport, Window, WindowMetric
from dagster_project.evaluation.measuring import measure as measured
from dagster_project.evaluation.slices import measure_slices
from dagster_project.monitoring.champion import lock_of
from dagster_project.monitoring.expectation import Expectation
from dagster_project.monitoring.judged_answers import Judge
from dagster_project.monitoring.tables import NATURAL, answered_with_truth, input_column, with_inputs
from dagster_project.monitoring.watched import Watched
from dagster_project.monitoring.windows import begin_of, length_of
from dagster_project.storage.ledger import Ledger

if TYPE_CHECKING:
    import polars as pl

LEDGER = "performance"
LOOKED_AT = 12
"""Windows back that late labels may still restate."""


def measure(watched: Watched, now: datetime) -> PerformanceReport:
    """Look at the newest windows, and keep what is known of the older ones.

    Raises:
        MachineryError: a table, the store or the ledger can't be read or written.
    """
    ledger, spec = Ledger(watched.workspace.ledger, LEDGER), watched.spec.monitoring.performance
    known = {(each.begin, each.onnx): each for each in _before(ledger, watched, now)}
    rows = _rows(watched, now)
    judge, expected = Judge(watched), Expectation(watched)
    for begin, onnx, part in _windows(rows, watched):
        # a former champion was calibrated otherwise; what was estimated of it while it was one is kept
        means = judge, expected if onnx == lock_of(watched).onnx else None
        known[begin, onnx] = _window(watched, begin, onnx, part, means, known.get((begin, onnx)), now)
    newest = sorted(known.values(), key=lambda each: (each.begin, each.onnx != lock_of(watched).onnx))
    report = PerformanceReport(
        model=watched.spec.name,
        now=now,
        champion=lock_of(watched).onnx,
        windows=tuple(newest[-MOST_WINDOWS:]),
        bounds=spec.bounds,
        severity=spec.severity,
    )
    report = report.model_copy(
        update={"slices": _slices(watched, report.newest, judge, now), "origins": _origins(watched, rows, judge)}
    )
    ledger.append(report.ledger_row())
    return report


def metrics_of(watched: Watched) -> tuple[str, ...]:
    """What is measured: the spec's metrics and those that its bounds are of, else the task's."""
    spec = watched.spec.monitoring.performance
    named = spec.metrics or REPORTED[watched.spec.task]
    return tuple(dict.fromkeys((*named, *(bound.metric for bound in spec.bounds))))


def _before(ledger: Ledger, watched: Watched, now: datetime) -> tuple[Window, ...]:
    """Windows of the last look before ``now``."""
    rows = [row for row in ledger.rows() if row["model"] == watched.spec.name]
    looks = sorted((datetime.fromisoformat(row["now"]), place) for place, row in enumerate(rows))
    past = [place for at, place in looks if at < now]
    return tuple(Window.model_validate(each) for each in rows[past[-1]]["windows"]) if past else ()


def _rows(watched: Watched, now: datetime) -> "pl.DataFrame":
    window = watched.spec.monitoring.performance.window
    first = begin_of(now.date() - LOOKED_AT * window, window)
    columns = (
        "day",
        "onnx",
        "label",
        "value",
        "score",
        "probabilities",
        "kind",
        "truth",
        "true_value",
        "recorded",
        "audit",
        "row_id",
    )
    found = answered_with_truth(watched, first, now.date(), as_of=now).select(columns).collect()
    return found.sort("row_id")  # sums, and draws of rows, do not depend on the order in which files are read


def _windows(rows: "pl.DataFrame", watched: Watched) -> "Iterator[tuple[date, str, pl.DataFrame]]":
    window = watched.spec.monitoring.performance.window
    begins = {day: begin_of(day, window) for day in rows["day"].unique().to_list()}
    cut = rows.with_columns(begin=rows["day"].replace_strict(begins) if begins else rows["day"])
    for (begin, onnx), part in sorted(cut.partition_by("begin", "onnx", as_dict=True).items()):
        yield begin, onnx, part


def _window(
    watched: Watched, begin: date, onnx: str, rows: "pl.DataFrame", means: tuple[Judge, Expectation | None],
    before: Window | None, now: datetime,
) -> Window:  # fmt: skip
    import polars as pl

    spec = watched.spec.monitoring.performance
    end = begin + timedelta(days=length_of(spec.window))
    labelled = rows.filter(pl.col("kind") == NATURAL)
    found = Window(
        begin=begin,
        end=end,
        onnx=onnx,
        answers=rows.height,
        labelled=labelled.height,
        matured=end <= watched.matured_before(now),
        newest=labelled["recorded"].max(),
    )
    if before and _same(found, before):
        return before
    enough = found.matured and labelled.height >= spec.minimum_rows and means[0].knows(labelled)
    metrics = _realised(watched, rows, labelled, means) if enough else _expected(watched, rows, means[1])
    return found.model_copy(update={"metrics": tuple(_restated(each, before, now) for each in metrics)})


def _same(found: Window, before: Window) -> bool:
    keys = ("answers", "labelled", "matured", "newest")
    return all(getattr(found, key) == getattr(before, key) for key in keys)


def _realised(
    watched: Watched, rows: "pl.DataFrame", labelled: "pl.DataFrame", means: tuple[Judge, Expectation | None]
) -> list[WindowMetric]:
    judge, expected = means
    without = rows.filter(rows["kind"].is_null())
    few = without.height < watched.spec.monitoring.performance.minimum_rows
    answers, truth, found = judge.answers(labelled), judge.truth(labelled), []
    for each in measured(answers, truth, judge.task, metrics_of(watched), rows="production", positive=judge.positive):
        same = expected.of(each.metric, labelled) if expected else None
        other = expected.of(each.metric, without) if expected and not few else None
        found.append(
            WindowMetric(
                metric=each.metric,
                value=each.value,
                low=each.low,
                high=each.high,
                estimate=same and same.value,
                estimate_low=same and same.low,
                estimate_high=same and same.high,
                unlabelled=other and other.value,
            )
        )
    return found


def _expected(watched: Watched, rows: "pl.DataFrame", expected: Expectation | None) -> list[WindowMetric]:
    if expected is None or rows.height < watched.spec.monitoring.performance.minimum_rows:
        return []
    found = ((metric, expected.of(metric, rows)) for metric in metrics_of(watched))
    return [
        WindowMetric(metric=metric, estimate=each.value, estimate_low=each.low, estimate_high=each.high)
        for metric, each in found
        if each
    ]


def _restated(each: WindowMetric, before: Window | None, now: datetime) -> WindowMetric:
    """With what it was, where it was another value."""
    last = before.metric(each.metric) if before else None
    if last is None or last.value is None:
        return each
    if last.value == each.value:
        return each.model_copy(update={"before": last.before, "restated": last.restated})
    return each.model_copy(update={"before": last.value, "restated": now})


def _slices(watched: Watched, window: Window | None, judge: Judge, now: datetime) -> tuple[Part, ...]:
    """The first metric by slice of the newest matured window; rows whose inputs were not logged are in none."""
    import polars as pl

    spec = watched.spec.monitoring.performance
    if window is None or not spec.slices:
        return ()
    frame = answered_with_truth(watched, window.begin, window.end - timedelta(days=1), as_of=now)
    here = frame.filter((pl.col("onnx") == window.onnx) & (pl.col("kind") == NATURAL))
    rows = with_inputs(here, watched).collect().sort("row_id")
    if not rows.height:
        return ()
    columns = {name: rows[input_column(name)].to_numpy() for name in spec.slices}
    gate = SlicesGate(
        kind="slices", metric=metrics_of(watched)[0], by=spec.slices, minimum_rows=spec.minimum_rows, maximum_drop=1.0
    )
    found = measure_slices(gate, judge.answers(rows), judge.truth(rows), columns, judge.task, judge.positive)
    return tuple(
        Part(name=str(each.slice), metric=each.metric, value=each.value, low=each.low, high=each.high, rows=each.count)
        for each in found
    )


def _origins(watched: Watched, rows: "pl.DataFrame", judge: Judge) -> tuple[Part, ...]:
    """The first metric by whose labels they are: people are asked about the hardest rows, so theirs stand apart."""
    import polars as pl

    human = (pl.col("kind") != NATURAL) & (pl.col("onnx") == lock_of(watched).onnx)
    parts = {
        "what happened": (pl.col("kind") == NATURAL) & (pl.col("onnx") == lock_of(watched).onnx),
        "people, drawn at random": human & pl.col("audit").fill_null(False),
        "people, least certain": human & ~pl.col("audit").fill_null(False),
    }
    found = []
    for name, which in parts.items():
        part = rows.filter(which)
        if part.height < 2 or (name == "what happened" and not rows.filter(human).height):
            continue
        answers, truth = judge.answers(part), judge.truth(part)
        wanted = metrics_of(watched)[:1]
        every = measured(answers, truth, judge.task, wanted, rows="production", positive=judge.positive)
        found += [Part(name=name, metric=e.metric, value=e.value, low=e.low, high=e.high, rows=e.count) for e in every]
    return tuple(found)
