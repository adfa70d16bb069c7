"""Charts as inline SVG: elements built with ElementTree, so every text is escaped; colours come from the page's CSS."""

from collections.abc import Sequence
from functools import singledispatch
from xml.etree.ElementTree import Element, SubElement, tostring

from .axes import Scale, ticks
from .document import Chart, CountChart, FlowChart, IntervalChart, LineChart, Series, ShareChart
from .numbers import number, share
from .text import plain

WIDTH, HEIGHT = 360, 250
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 12, 38


def draw(chart: Chart) -> str:
    """One ``<svg>`` with its title for screen readers."""
    return tostring(_draw(chart), encoding="unicode")


@singledispatch
def _draw(chart: Chart) -> Element:
    raise TypeError(f"no drawing for {type(chart).__name__}")


def _canvas(title: str, height: float = HEIGHT, width: float = WIDTH) -> Element:
    label = plain(title, 120)
    svg = Element("svg", {"viewBox": f"0 0 {width:g} {height:g}", "role": "img", "aria-label": label})
    SubElement(svg, "title").text = label
    return svg


def _line(svg: Element, kind: str, x1: float, y1: float, x2: float, y2: float) -> None:
    places = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    SubElement(svg, "line", {"class": kind, **{key: f"{value:.2f}" for key, value in places.items()}})


def _text(svg: Element, x: float, y: float, text: str, anchor: str = "start", kind: str = "") -> Element:
    element = SubElement(svg, "text", {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor, "class": kind})
    element.text = plain(text, 60)
    return element


def _bar(svg: Element, kind: str, x: float, y: float, width: float, height: float, tip: str = "") -> None:
    places = {"x": x, "y": y, "width": max(0.0, width), "height": max(0.0, height)}
    element = SubElement(svg, "rect", {"class": kind, **{key: f"{value:.2f}" for key, value in places.items()}})
    SubElement(element, "title").text = plain(tip, 120)


def _frame(svg: Element, x: Scale, y: Scale, x_label: str, y_label: str, x_ticks: Sequence[float]) -> None:
    """Horizontal rules, tick labels and the names of both axes."""
    for value in ticks(y.low, y.high):
        _line(svg, "rule", LEFT, y(value), WIDTH - RIGHT, y(value))
        _text(svg, LEFT - 6, y(value) + 3.5, number(value), "end", "tick")
    for value in x_ticks:
        _text(svg, x(value), HEIGHT - BOTTOM + 15, number(value), "middle", "tick")
    _text(svg, (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, x_label, "middle", "axis")
    middle = (TOP + HEIGHT - BOTTOM) / 2
    _text(svg, 10, middle, y_label, "middle", "axis").set("transform", f"rotate(-90 10 {middle:.1f})")


@_draw.register
def _(chart: LineChart) -> Element:
    svg = _canvas(chart.title)
    points = [point for series in chart.series for point in series.points]
    x = Scale.over([p[0] for p in points], LEFT, WIDTH - RIGHT, unit=chart.unit)
    y = Scale.over([p[1] for p in points], HEIGHT - BOTTOM, TOP, unit=chart.unit, room=0.08)
    whole = all(float(p[0]).is_integer() for p in points) and not chart.unit
    _frame(svg, x, y, chart.x_label, chart.y_label, ticks(x.low, x.high, whole=whole))
    if chart.unit:
        _line(svg, "diagonal", x(0), y(0), x(1), y(1))
    for index, series in enumerate(chart.series):
        _series(svg, series, index, x, y)
    return svg


def _series(svg: Element, series: Series, index: int, x: Scale, y: Scale) -> None:
    kind = f"s{index % 6 + 1}"
    if series.style != "dots":
        path = "".join(_segment(series, i, x, y) for i in range(len(series.points)))
        SubElement(svg, "path", {"class": f"curve {kind}", "d": path})
    if series.style == "dots" or (series.style == "line" and len(series.points) <= 12):
        for px, py in series.points:
            dot = SubElement(
                svg, "circle", {"class": f"dot {kind}", "cx": f"{x(px):.2f}", "cy": f"{y(py):.2f}", "r": "3"}
            )
            SubElement(dot, "title").text = f"{plain(series.name, 40)}: {number(px)}, {number(py)}"


def _segment(series: Series, index: int, x: Scale, y: Scale) -> str:
    px, py = series.points[index]
    if index == 0:
        return f"M{x(px):.2f},{y(py):.2f}"
    return f"H{x(px):.2f}V{y(py):.2f}" if series.style == "step" else f"L{x(px):.2f},{y(py):.2f}"


@_draw.register
def _(chart: ShareChart) -> Element:
    step = 26 if chart.others else 20
    height = TOP + step * len(chart.labels) + 8
    svg = _canvas(chart.title, height)
    x = Scale(0.0, max(*chart.values, *chart.others, 1e-9, 1e-9), 128, WIDTH - 48)
    for index, (label, value) in enumerate(zip(chart.labels, chart.values, strict=True)):
        top = TOP + step * index
        _text(svg, 122, top + 10.5, plain(label, 19), "end", "label")
        _bar(svg, "s1", x(0), top + 1, x(max(0.0, value)) - x(0), 12, f"{label}: {share(value)}")
        _text(svg, x(max(0.0, value)) + 5, top + 10.5, share(value), kind="tick")
        if chart.others:
            other = max(0.0, chart.others[index])
            _bar(svg, "s2", x(0), top + 14, x(other) - x(0), 5, f"{label}, champion: {share(other)}")
    return svg


@_draw.register
def _(chart: CountChart) -> Element:
    svg = _canvas(chart.title)
    x = Scale(chart.edges[0], chart.edges[-1], LEFT, WIDTH - RIGHT)
    y = Scale(0.0, max(1.0, *chart.counts) * 1.05, HEIGHT - BOTTOM, TOP)
    _frame(svg, x, y, chart.x_label, "rows", ticks(x.low, x.high))
    for low, high, count in zip(chart.edges, chart.edges[1:], chart.counts, strict=False):
        _bar(
            svg,
            "s1",
            x(low) + 0.5,
            y(count),
            x(high) - x(low) - 1,
            y(0) - y(count),
            f"{number(low)} to {number(high)}: {count:,}",
        )
    return svg


@_draw.register
def _(chart: IntervalChart) -> Element:
    height = TOP + 20 * len(chart.rows) + 24
    svg = _canvas(chart.title, height)
    values = [v for row in chart.rows for v in row[1:]] + ([chart.reference] if chart.reference is not None else [])
    x = Scale.over(values, 132, WIDTH - RIGHT - 6, room=0.05)
    if chart.reference is not None:
        _line(svg, "diagonal", x(chart.reference), TOP, x(chart.reference), height - 22)
    for index, (label, value, low, high) in enumerate(chart.rows):
        middle = TOP + 20 * index + 9
        _text(svg, 124, middle + 3.5, plain(label, 20), "end", "label")
        _line(svg, "whisker", x(low), middle, x(high), middle)
        dot = SubElement(svg, "circle", {"class": "dot s1", "cx": f"{x(value):.2f}", "cy": f"{middle}", "r": "3.5"})
        SubElement(dot, "title").text = f"{plain(label, 60)}: {number(value)} ({number(low)} to {number(high)})"
    for value in ticks(x.low, x.high, most=4):
        _text(svg, x(value), height - 6, number(value), "middle", "tick")
    return svg


@_draw.register
def _(chart: FlowChart) -> Element:
    depth = _depths(chart)
    columns: dict[int, list[tuple[str, str, bool]]] = {}
    for node in chart.nodes:
        columns.setdefault(depth[node[0]], []).append(node)
    tallest = max(len(column) for column in columns.values())
    width, height = 40 + 170 * len(columns) - 40, 16 + 42 * tallest
    svg = _canvas(chart.title, height, width)
    svg.set("style", f"max-width: {1.25 * width:.0f}px")
    place = {
        node[0]: (8.0 + 170 * index, 8 + (height - 16) / len(column) * (row + 0.5))
        for index, column in columns.items()
        for row, node in enumerate(column)
    }
    for source, target in chart.edges:
        (x0, y0), (x1, y1) = place[source], place[target]
        bend = f"M{x0 + 130:.1f},{y0:.1f}C{x0 + 150:.1f},{y0:.1f} {x1 - 20:.1f},{y1:.1f} {x1:.1f},{y1:.1f}"
        SubElement(svg, "path", {"class": "edge", "d": bend})
    for name, kind, touched in chart.nodes:
        x, y = place[name]
        box = {
            "x": f"{x:.1f}",
            "y": f"{y - 15:.1f}",
            "width": "130",
            "height": "30",
            "rx": "15" if kind == "model" else "4",
        }
        SubElement(svg, "rect", {"class": f"node {'touched' if touched else ''}", **box})
        _text(svg, x + 65, y + 4, plain(name, 19), "middle", "label")
    return svg


def _depths(chart: FlowChart) -> dict[str, int]:
    """Longest way from a source; the contract check refuses cycles, so as many rounds as nodes are enough."""
    depth = {name: 0 for name, _, _ in chart.nodes}
    for _ in chart.nodes:
        for source, target in chart.edges:
            depth[target] = min(len(depth) - 1, max(depth[target], depth[source] + 1))
    return {name: sorted(set(depth.values())).index(value) for name, value in depth.items()}
