"""Better data or a better model? What the build says that more rows, each source and cleaner labels would give."""

from collections.abc import Iterator

from dagster_project.domain.headroom_report import HeadroomReport, Interval, LabelNoise, LearningCurve, SourceLosses
from dagster_project.domain.headroom_words import headroom_words, span

from .document import Chart, IntervalChart, LineChart, Part, Series, Table
from .numbers import NOTHING, number

CLAIM = "The build says this of itself, from train and validation rows; no gate believes it."


def headroom_part(report: HeadroomReport | None) -> Part:
    """Where the next gain probably is, first; numbers and suspected rows folded below."""
    if report is None:
        return Part("", 3)
    numbers = tuple(table for table in (curve_table(report), source_table(report), noise_table(report.noise)) if table)
    closing, *words = headroom_words(report)
    parts = (
        Part("Learning curve, sources and labels in numbers", 5, tables=numbers, folded=True),
        suspects_part(report.noise),
    )
    return Part(
        "Better data or a better model?",
        3,
        sentences=(closing, CLAIM),
        bullets=tuple(words),
        charts=tuple(headroom_charts(report)),
        parts=tuple(part for part in parts if part),
    )


def headroom_charts(report: HeadroomReport) -> Iterator[Chart]:
    """The learning curve between its limits, and the loss of each source."""
    if report.curve and (curve := curve_chart(report.curve, report.metric)):
        yield curve
    if report.sources and (losses := source_chart(report.sources, report.metric)):
        yield losses


def curve_chart(curve: LearningCurve, metric: str) -> LineChart | None:
    """The metric over train rows, between its limits."""
    known = [(float(point.rows), point.metric) for point in curve.points if point.metric]
    if len(known) < 2:
        return None
    series = [
        Series(metric, tuple((rows, value.value) for rows, value in known)),
        Series("lower limit", tuple((rows, value.low) for rows, value in known)),
        Series("upper limit", tuple((rows, value.high) for rows, value in known)),
    ]
    note = f"Limits at 95 %. Shares of the train rows: {curve.taken}."
    return LineChart("Learning curve, validation rows", "train rows", metric, tuple(series), note=note)


def source_chart(losses: SourceLosses, metric: str) -> IntervalChart | None:
    """What leaving out each source loses; dashed: nothing."""
    rows = tuple(
        (source.name, source.loss.value, source.loss.low, source.loss.high) for source in losses.sources if source.loss
    )
    title = f"{metric} lost without each source, validation rows"
    return IntervalChart(title, rows, 0.0, "Dashed: nothing is lost.") if rows else None


def curve_table(report: HeadroomReport) -> Table | None:
    """Every point, those that are missing with their reason."""
    rows = tuple(
        (number(point.rows), _value(point.metric, point.absent), f"{point.seconds:.1f} s")
        for point in (report.curve.points if report.curve else ())
    )
    return Table(("train rows", f"{report.metric} (95 %)", "time"), rows, frozenset({0, 1, 2})) if rows else None


def source_table(report: HeadroomReport) -> Table | None:
    """Every source with the columns that were left out."""
    rows = tuple(
        (source.name, ", ".join(source.columns), _value(source.loss, source.absent), f"{source.seconds:.1f} s")
        for source in (report.sources.sources if report.sources else ())
    )
    columns = ("source", "columns left out", f"{report.metric} lost (95 %)", "time")
    return Table(columns, rows, frozenset({2, 3})) if rows else None


def noise_table(noise: LabelNoise | None) -> Table | None:
    """The confident joint: rows by given and by expected class."""
    if noise is None or not noise.joint or len(noise.joint) != len(noise.thresholds):
        return None
    classes = tuple(noise.thresholds)
    rows = tuple(
        (name, number(noise.thresholds[name], 3), *(number(count) for count in counts))
        for name, counts in zip(classes, noise.joint, strict=True)
    )
    columns = ("given class", "confident from", *(f"expected {name}" for name in classes))
    return Table(columns, rows, frozenset(range(1, len(columns))))


def suspects_part(noise: LabelNoise | None) -> Part:
    """Rows that people may look at: the label, and what models fitted on other rows answer."""
    if noise is None or not (noise.suspects or noise.unlisted):
        return Part("", 5)
    if noise.unlisted:
        return Part("Rows to look at", 5, sentences=(noise.unlisted,), folded=True)
    names = tuple(noise.suspects[0].id)
    rows = tuple(
        (
            *(str(row.id.get(name, NOTHING)) for name in names),
            _cell(row.given),
            _cell(row.expected),
            f"{row.margin:+.3g}",
        )
        for row in noise.suspects
    )
    last = "probability, label less expected" if noise.kind == "classes" else "standardised residual"
    table = Table((*names, "label", "expected", last), rows, frozenset({len(names) + 2}))
    said = () if noise.suspected else ("Hard rows and wrong labels look alike here.",)
    return Part(f"{len(rows)} train rows whose label the model contradicts most", 5, said, tables=(table,), folded=True)


def _value(value: Interval | None, absent: str) -> str:
    return span(value) if value else f"not available: {absent}"


def _cell(value: object) -> str:
    return number(value) if isinstance(value, float) else str(value)
