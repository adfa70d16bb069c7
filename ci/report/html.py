"""The report as one page that fetches nothing: style and charts inline, no script, readable without a network."""

import re
from pathlib import Path
from typing import Any

from dagster_project.domain.verdict import Outcome

from . import svg
from .document import Cell, Chart, Document, LineChart, ShareChart
from .text import block, plain

HERE = Path(__file__).parent
WORDS = {
    "planned": "Planned",
    "passed": "Passed",
    "failed": "Failed",
    "refused": "Refused",
    "wrong": "Files to mend",
    "broken": "Broken",
}
LOCAL = re.compile(r"(?!/)(?!.*\.\.)[\w./ +-]+")


def render(document: Document) -> str:
    """The whole page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_visible,
    )
    environment.filters |= {
        "word": _word,
        "diff_lines": _diff_lines,
        "drawing": lambda chart: Markup(svg.draw(chart)),  # every text in it is escaped by ElementTree
        "legend": _legend,
        "local": lambda path: LOCAL.fullmatch(path) is not None,
    }
    environment.tests["outcome"] = lambda cell: isinstance(cell, Outcome)
    style = Markup((HERE / "page.css").read_text(encoding="utf-8"))
    page = environment.get_template("page.html.j2")
    return page.render(document=document, style=style, ending_word=WORDS[document.ending]) + "\n"


def _visible(value: Any) -> Any:
    """Control and bidirectional characters made visible before autoescape does the rest."""
    from markupsafe import Markup

    return value if isinstance(value, Markup) or not isinstance(value, str) else plain(value, 4000)


def _word(cell: Cell) -> str:
    return cell.replace("_", " ")


def _diff_lines(diff: str) -> list[tuple[str, Any]]:
    """Kind and text of each line, escaped here because its spaces have to stay."""
    from markupsafe import escape

    kinds = {"+": "added", "-": "removed", "@": "hunk"}
    return [(kinds.get(line[:1], "same"), escape(line)) for line in block(diff).rstrip("\n").split("\n")]


def _legend(chart: Chart) -> list[tuple[int, str]]:
    """Series number and name, where there is more than one to tell apart."""
    if isinstance(chart, LineChart):
        names = [series.name for series in chart.series]
    elif isinstance(chart, ShareChart) and chart.others:
        names = list(chart.names)
    else:
        names = []
    return list(enumerate(names, start=1)) if len(names) > 1 else []
