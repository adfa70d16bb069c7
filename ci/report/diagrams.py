"""Charts as mermaid, which GitHub draws by itself: no picture host, nothing fetched.

xychart-beta spreads a line's values evenly over the x axis, so curves are interpolated to an even grid.
"""

from functools import singledispatch

from .charts import at
from .document import Chart, CountChart, FlowChart, IntervalChart, LineChart, Series, ShareChart
from .text import mermaid

GRID = 21
NODES = 60
COLOURS = {"blue": "#2563ab", "orange": "#d1771f", "grey": "#8a929b", "green": "#2f8f6b", "purple": "#a1478f"}
_KINDS = {"dots": "bar"}
_PALETTE = '%%{init: {"themeVariables": {"xyChart": {"plotColorPalette": "' + ", ".join(COLOURS.values()) + '"}}}}%%'


@singledispatch
def render(chart: Chart) -> str:
    """A fenced mermaid block with a line of explanation, or nothing where mermaid has no such chart."""
    raise TypeError(f"no diagram for {type(chart).__name__}")


@render.register
def _(chart: IntervalChart) -> str:
    return ""  # the slices table beside it holds the same numbers


@render.register
def _(chart: LineChart) -> str:
    grid = _grid(chart)
    plots = [(_KINDS.get(series.style, "line"), series.name, _values(series, grid)) for series in chart.series]
    plots += [("line", "diagonal", grid)] if chart.unit else []
    plots.sort(key=lambda plot: plot[0])  # bars first, so that lines are drawn over them
    low, high = _range([value for _, _, values in plots for value in values], chart.unit)
    lines = [_PALETTE, "xychart-beta", f"    title {mermaid(chart.title, 60)}"]
    lines.append(f"    x-axis {mermaid(chart.x_label)} {_x_axis(chart, grid)}")
    lines.append(f"    y-axis {mermaid(chart.y_label)} {_number(low)} --> {_number(high)}")
    lines += [f"    {kind} [{', '.join(map(_number, values))}]" for kind, _, values in plots]
    return _fenced(lines, _legend([name for _, name, _ in plots], chart.note))


def _grid(chart: LineChart) -> list[float]:
    """Where the curves are read: evenly in the unit square, else at the points themselves."""
    places = sorted({x for series in chart.series for x, _ in series.points})
    if not chart.unit:
        return places
    low, high = places[0], places[-1]
    return [low + (high - low) * index / (GRID - 1) for index in range(GRID)]


def _x_axis(chart: LineChart, grid: list[float]) -> str:
    """Few points are named one by one, as some may be missing between them."""
    if not chart.unit and len(grid) <= GRID:
        return f"[{', '.join(mermaid(_number(x)) for x in grid)}]"
    return f"{_number(grid[0])} --> {_number(max(grid[-1], grid[0] + 1e-6))}"


def _values(series: Series, grid: list[float]) -> list[float]:
    return [at(series.points, x) for x in grid]


def _range(values: list[float], unit: bool) -> tuple[float, float]:
    if unit:
        return 0.0, 1.0
    low, high = min(values), max(values)
    room = 0.1 * (high - low) or abs(high) * 0.1 or 1.0
    return low - room, high + room


def _legend(names: list[str], note: str) -> str:
    """Which colour is which, in words: xychart draws no legend."""
    colours = list(COLOURS)
    pairs = [f"{mermaid(name)[1:-1]} {colours[index % len(colours)]}" for index, name in enumerate(names)]
    return ", ".join(pairs) + "." + (f" {note}" if note else "")


@render.register
def _(chart: ShareChart) -> str:
    shown = [(label, value) for label, value in zip(chart.labels, chart.values, strict=True) if value > 0][:8]
    if not shown:
        return ""
    rest = 1.0 - sum(value for _, value in shown)
    slices = [*shown, ("others", rest)] if rest > 0.005 else shown
    lines = ["pie showData", f"    title {mermaid(chart.title, 60)[1:-1]}, percent"]
    return _fenced(lines + [f"    {mermaid(label)} : {max(100 * value, 0.01):.2f}" for label, value in slices], "")


@render.register
def _(chart: CountChart) -> str:
    lines = ["xychart-beta", f"    title {mermaid(chart.title, 60)}"]
    lines.append(f"    x-axis {mermaid(chart.x_label)} {_number(chart.edges[0])} --> {_number(chart.edges[-1])}")
    lines.append(f'    y-axis "rows" 0 --> {max(1, *chart.counts)}')
    return _fenced([*lines, f"    bar [{', '.join(map(str, chart.counts))}]"], "")


@render.register
def _(chart: FlowChart) -> str:
    ids = {name: f"n{index}" for index, (name, _, _) in enumerate(chart.nodes[:NODES])}
    lines = ["flowchart LR"]
    for name, kind, touched in chart.nodes[:NODES]:
        left, right = ("([", "])") if kind == "model" else ("[", "]")
        lines.append(f"    {ids[name]}{left}{mermaid(name)}{right}{':::touched' if touched else ''}")
    lines += [f"    {ids[a]} --> {ids[b]}" for a, b in chart.edges if a in ids and b in ids]
    lines.append("    classDef touched stroke-width:3px")
    return _fenced(lines, "What is built or judged has a thick border; models are round.")


def _number(value: float) -> str:
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _fenced(lines: list[str], note: str) -> str:
    block = "\n".join(["```mermaid", *lines, "```"])
    return f"{note}\n\n{block}" if note else block
