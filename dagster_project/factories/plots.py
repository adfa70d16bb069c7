"""Small pictures inside asset metadata: PNG bytes in Markdown, so that they need no picture host.

matplotlib's object interface is used, not pyplot: no global state and half the import time.
"""

import base64
import io
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from dagster_project.domain.bundle import Trial

BLUE, GREY, RED = "#3b6fb6", "#9aa5b1", "#c0392b"
Points = Sequence[tuple[float, float]]
Colours = str | Sequence[str]


def bars(values: Mapping[str, float], title: str, unit: str) -> str:
    """Horizontal bars, the first key on top."""
    figure, axes = _figure(title, height=0.8 + 0.22 * len(values))
    axes.barh(list(values), list(values.values()), color=BLUE)
    axes.invert_yaxis()
    axes.set_xlabel(unit)
    return _markdown(figure, title)


def columns(edges: Sequence[float], counts: Sequence[int], title: str, unit: str) -> str:
    """A histogram from its edges and counts."""
    figure, axes = _figure(title)
    widths = [right - left for left, right in pairwise(edges)]
    axes.bar(list(edges[:-1]), list(counts), width=widths, align="edge", color=BLUE)
    axes.set_xlabel(unit)
    axes.set_ylabel("rows")
    return _markdown(figure, title)


def between(points: Mapping[int, tuple[float, float, float]], title: str, x: str, y: str) -> str:
    """A line through values, with a band from their lower to their upper limits."""
    figure, axes = _figure(title)
    values, lows, highs = zip(*points.values(), strict=True)
    axes.fill_between(list(points), lows, highs, color=BLUE, alpha=0.2, linewidth=0)
    axes.plot(list(points), values, color=BLUE, marker=".")
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    return _markdown(figure, title)


def whiskers(values: Mapping[str, tuple[float, float, float]], title: str, unit: str) -> str:
    """Values between their limits, the first key on top, held against 0."""
    figure, axes = _figure(title, height=0.9 + 0.25 * len(values))
    for name, (value, low, high) in values.items():
        axes.plot([low, high], [name, name], color=GREY)
        axes.plot([value], [name], "o", color=BLUE, markersize=4)
    axes.axvline(0.0, color=GREY, linewidth=1, linestyle="--")
    axes.invert_yaxis()
    axes.set_xlabel(unit)
    return _markdown(figure, title)


def over_time(times: Sequence[object], counts: Sequence[int], title: str) -> str:
    """Rows by period."""
    figure, axes = _figure(title)
    axes.step(times, counts, where="post", color=BLUE)  # type: ignore[arg-type]
    axes.set_ylim(bottom=0)
    axes.set_ylabel("rows")
    figure.autofmt_xdate()
    return _markdown(figure, title)


def course(trials: Sequence["Trial"], metric: str, greater_is_better: bool) -> str:
    """Every trial's value in the order of the search, the best so far as a line, each baseline as a dotted one."""
    figure, axes = _figure("Course of the search")
    valued = [(trial, trial.value) for trial in trials if trial.value is not None]
    done = [(trial.family, trial.number, value) for trial, value in valued if not trial.is_baseline]
    best = list(accumulate((value for _, _, value in done), max if greater_is_better else min))
    for family in sorted({family for family, _, _ in done}):
        own = [(number, value) for name, number, value in done if name == family]
        axes.plot([number for number, _ in own], [value for _, value in own], "o", markersize=4, label=family)
    axes.step([number for _, number, _ in done], best, where="post", color=GREY, label="best so far")
    for trial, value in valued:
        if trial.is_baseline:
            axes.axhline(value, color=GREY, linewidth=1, linestyle=":", label=trial.title)
    axes.set_xlabel("trial")
    axes.set_ylabel(metric)
    axes.legend(fontsize=7)
    return _markdown(figure, "Course of the search")


def unit_square(curves: Mapping[str, Points], title: str, x: str, y: str) -> str:
    """Lines between (0, 0) and (1, 1): ROC curves, reliability diagrams."""
    figure, axes = _figure(title, height=3.2)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--")
    for name, points in curves.items():
        axes.plot([point[0] for point in points], [point[1] for point in points], marker=".", label=name)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.legend(fontsize=7)
    return _markdown(figure, title)


def shares_over_time(times: Sequence[object], lines: Mapping[str, Sequence[float]], title: str) -> str:
    """Shares between 0 and 1 by period, a line each."""
    figure, axes = _figure(title)
    for name, values in lines.items():
        axes.plot(times, list(values), marker=".", markersize=3, label=name)  # type: ignore[arg-type]
    axes.set_ylim(-0.02, 1.02)
    axes.legend(fontsize=7, loc="lower left")
    figure.autofmt_xdate()
    return _markdown(figure, title)


def intervals(
    measured: Mapping[str, Sequence[tuple[object, float, float, float]]],
    expected: Sequence[tuple[object, float]],
    limits: Sequence[float],
    title: str,
) -> str:
    """Values with their limits by time, a colour a name; a line of what was expected, and dotted limits."""
    figure, axes = _figure(title, height=3.2)
    for name, rows in measured.items():
        times, values = [row[0] for row in rows], [row[1] for row in rows]
        reach = [[row[1] - row[2] for row in rows], [row[3] - row[1] for row in rows]]
        axes.errorbar(times, values, yerr=reach, fmt="o", markersize=3, linewidth=1, label=name)  # type: ignore[arg-type]
    if expected:
        times = [row[0] for row in expected]
        axes.plot(times, [row[1] for row in expected], color=GREY, linestyle="--", label="expected")  # type: ignore[arg-type]
    for limit in limits:
        axes.axhline(limit, color=RED, linestyle=":", linewidth=1)
    axes.legend(fontsize=6, loc="best")
    figure.autofmt_xdate()
    return _markdown(figure, title)


def paired_bars(
    names: Sequence[str], sides: Mapping[str, Sequence[float]], title: str, unit: str, colours: Sequence[Colours]
) -> str:
    """Two horizontal bars a name, the first name on top; ``colours`` of each side, one for all or one a bar."""
    figure, axes = _figure(title, height=0.9 + 0.26 * len(names))
    for place, (side, values) in enumerate(sides.items()):
        heights = [row + 0.4 * (place - 0.5) for row in range(len(names))]
        axes.barh(heights, list(values), height=0.38, color=colours[place], label=side)
    axes.set_yticks(list(range(len(names))), list(names))
    axes.invert_yaxis()
    axes.set_xlabel(unit)
    axes.legend(fontsize=7)
    return _markdown(figure, title)


def contact_sheet(images: "Sequence[np.ndarray]", title: str, across: int = 10) -> str:
    """Images, uint8 (height, width, channels), beside and below each other."""
    import numpy as np

    height, width, channels = images[0].shape
    rows = -(-len(images) // across)
    sheet = np.full((rows * (height + 1), min(across, len(images)) * (width + 1), channels), 255, np.uint8)
    for place, image in enumerate(images):
        down, right = place // across * (height + 1), place % across * (width + 1)
        sheet[down : down + height, right : right + width] = image
    figure, axes = _figure(title, height=0.6 + 6.0 * sheet.shape[0] / sheet.shape[1])
    axes.imshow(sheet.squeeze(-1) if channels == 1 else sheet, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_axis_off()
    return _markdown(figure, title)


def lines(windows: Sequence[Sequence[float | None]], title: str, x: str, y: str) -> str:
    """Windows of a series over each other; a missing step is a gap."""
    figure, axes = _figure(title)
    for window in windows:
        steps = [float("nan") if step is None else step for step in window]
        axes.plot(range(1 - len(steps), 1), steps, linewidth=1, alpha=0.8)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    return _markdown(figure, title)


def _figure(title: str, height: float = 2.6) -> tuple["Figure", "Axes"]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, height), dpi=80, layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, fontsize=9)
    axes.tick_params(labelsize=7)
    return figure, axes


def _markdown(figure: "Figure", title: str) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return f"![{title}](data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()})"
