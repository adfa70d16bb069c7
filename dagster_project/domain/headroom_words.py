"""A headroom report in sentences, and the one that closes it: where the next gain probably is."""

from collections.abc import Iterator

from .headroom_report import HeadroomReport, Interval, LabelNoise, LearningCurve, SourceLoss, SourceLosses
from .text import percent

NOISY = 0.01
"""A share of wrong labels from which they come first: they mislead whoever judges, too."""


def headroom_words(report: HeadroomReport) -> list[str]:
    """Curve, sources and labels in sentences, the closing one first."""
    words = [next_gain(report)]
    if report.curve:
        words.append(curve_words(report.curve, report))
    if report.sources:
        words += source_words(report.sources, report.metric)
    if report.noise:
        words += noise_words(report.noise)
    return words


def next_gain(report: HeadroomReport) -> str:
    """Where the next gain probably is, or that nothing here tells."""
    steps = [*_labels(report.noise), *_rows(report.curve, report.metric)]
    if steps:
        return f"The next gain is probably in {', then in '.join(steps)}."
    if not (report.curve and report.curve.doubled):
        return "Where the next gain is, nothing here tells."
    needed = [s.name for s in _needed(report.sources)]
    if not is_flat(report.curve):
        labels = "; no wrong labels stand out" if report.noise and not report.noise.absent else ""
        dearest = f"; of the sources, {needed[0]} is worth most" if needed else ""
        return f"Whether more rows would help can't be told from these{labels}{dearest}."
    like = f", such as {needed[0]} has brought" if needed else ""
    return (
        "The next gain is probably in columns that say something new"
        f"{like}, or in another family: more rows like these would give next to nothing."
    )


def _labels(noise: LabelNoise | None) -> Iterator[str]:
    if noise and noise.suspected and noise.share and noise.share.value >= NOISY:
        yield f"the labels, of which about {percent(noise.share.value)} look wrong"


def _rows(curve: LearningCurve | None, metric: str) -> Iterator[str]:
    if curve and curve.doubled and curve.doubled.low > 0 and not is_flat(curve):
        yield f"more rows (twice as many: about {amount(curve.doubled)} {metric})"


def is_flat(curve: LearningCurve) -> bool:
    """Whether twice the rows would change next to nothing."""
    gain, limit = curve.doubled, curve.negligible
    return gain is not None and limit is not None and -limit <= gain.low and gain.high <= limit


def curve_words(curve: LearningCurve, report: HeadroomReport) -> str:
    """What twice the rows would give."""
    if curve.doubled is None:
        return f"Learning curve: not available. {curve.absent}"
    how = "a history twice as long" if curve.taken == "most recent" else "twice the rows"
    gain, metric = curve.doubled, report.metric
    subject = f"{how[0].upper()}{how[1:]} ({2 * report.rows:,} instead of {report.rows:,} train rows)"
    if is_flat(curve):
        return f"The learning curve is flat: {how} would change {metric} by {between(gain)}."
    if gain.low > 0:
        return f"{subject} would gain about {span(gain)} {metric}."
    if gain.high < 0:
        return f"{subject} would lose about {span(_turned(gain))} {metric}: {_why_less(curve)}."
    return f"The learning curve can't tell: {how} would change {metric} by {between(gain)}."


def _why_less(curve: LearningCurve) -> str:
    return "older rows mislead" if curve.taken == "most recent" else "it has learnt better from fewer"


def source_words(losses: SourceLosses, metric: str) -> list[str]:
    """What each source is worth."""
    if losses.absent:
        return [f"Sources: not available. {losses.absent}"]
    words = [_source(source, metric) for source in losses.sources]
    if losses.untold:
        words.append(f"Nothing tells the source of {', '.join(losses.untold)}: they were never left out.")
    return words


def _source(source: SourceLoss, metric: str) -> str:
    columns = f"{len(source.columns)} column{'s' if len(source.columns) != 1 else ''}"
    if source.loss is None:
        return f"Without {source.name} ({columns}): not available. {source.absent}"
    if source.loss.low > 0:
        return f"Without {source.name} ({columns}) {span(source.loss)} {metric} would be lost."
    if source.loss.high < 0:
        return f"Without {source.name} ({columns}) {span(_turned(source.loss))} {metric} would be gained: it misleads."
    return f"Without {source.name} ({columns}) no loss can be seen: {between(source.loss)} {metric}."


def _needed(losses: SourceLosses | None) -> list[SourceLoss]:
    found = [s for s in (losses.sources if losses else ()) if s.loss and s.loss.low > 0]
    return sorted(found, key=lambda s: -s.loss.value if s.loss else 0.0)


def noise_words(noise: LabelNoise) -> list[str]:
    """What the labels look like, and what can't be told of them."""
    if noise.absent:
        return [f"Label noise: not available. {noise.absent}"]
    if noise.kind == "residuals":
        return [
            f"The {len(noise.suspects)} train rows furthest from what models fitted without them answer are listed: "
            "wrong values and rare ones look alike, so no share is estimated."
        ]
    assert noise.joint_share is not None and noise.expected_share is not None and noise.share is not None
    joint = (
        f"Confident learning puts {percent(noise.joint_share)} of {noise.rows:,} labels off its diagonal; "
        f"a model as unsure as this one puts {percent(noise.expected_share)} there with every label right."
    )
    return [joint, _suspicion(noise, noise.share)]


def _suspicion(noise: LabelNoise, share: Interval) -> str:
    limits = f"{percent(share.value)} ({percent(share.low)} to {percent(share.high)})"
    if noise.suspected:
        return (
            f"About {limits} of the labels look wrong: the model contradicts as many where it is surest as where it is "
            "less sure. Whether they are, or a coin decides that no column knows, only people can tell."
        )
    return (
        f"No label is called wrong: the model contradicts {percent(noise.disagreement or 0.0)} of them, as it would "
        f"where rows are hard. At most {percent(share.high)} can be wrong, going by the rows of which it is surest."
    )


def amount(gain: Interval) -> str:
    """The value, as far as its interval gives digits."""
    return f"{gain.value:.{_decimals(gain)}f}"


def span(gain: Interval) -> str:
    """``0.004 (0.001 to 0.007)``."""
    places = _decimals(gain)
    return f"{gain.value:.{places}f} ({gain.low:.{places}f} to {gain.high:.{places}f})"


def between(gain: Interval) -> str:
    """``-0.001 to 0.002``."""
    places = _decimals(gain)
    return f"{gain.low:+.{places}f} to {gain.high:+.{places}f}"


def _turned(gain: Interval) -> Interval:
    return Interval(value=-gain.value, low=-gain.high, high=-gain.low)


def _decimals(gain: Interval) -> int:
    """So many that half the interval's width keeps a digit or two."""
    from math import floor, log10

    width = (gain.high - gain.low) / 2
    return min(8, max(0, -floor(log10(width)) + (width < 2 * 10 ** floor(log10(width))))) if width > 0 else 4
