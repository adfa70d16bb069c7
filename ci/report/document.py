"""What the renderings share: a report as parts with sentences, tables and charts, free of any markup.

Every string here may hold a stranger's text; each rendering escapes all of them, without exception.
"""

from dataclasses import dataclass, field

from dagster_project.domain.verdict import Outcome

Cell = str | Outcome


@dataclass(frozen=True)
class Table:
    """Rows of cells; an ``Outcome`` is shown as a mark. ``numeric`` columns are aligned right."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numeric: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Series:
    """Points in the order of x. ``line``, ``step`` (held until the next point) or ``dots``."""

    name: str
    points: tuple[tuple[float, float], ...]
    style: str = "line"


@dataclass(frozen=True)
class LineChart:
    """One or more series over two axes. ``unit``: the unit square with its diagonal, as ROC and reliability have."""

    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    unit: bool = False
    note: str = ""


@dataclass(frozen=True)
class ShareChart:
    """Shares by label, largest first; ``others`` is a second series to hold against it, or empty."""

    title: str
    labels: tuple[str, ...]
    values: tuple[float, ...]
    others: tuple[float, ...] = ()
    names: tuple[str, str] = ("challenger", "champion")


@dataclass(frozen=True)
class CountChart:
    """A histogram: counts between consecutive edges."""

    title: str
    x_label: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class IntervalChart:
    """Values with intervals, one a row, held against a reference."""

    title: str
    rows: tuple[tuple[str, float, float, float], ...]
    reference: float | None = None
    note: str = ""


@dataclass(frozen=True)
class FlowChart:
    """What reads what: names with their kind (dataset, model) and whether the change touches them."""

    title: str
    nodes: tuple[tuple[str, str, bool], ...]
    edges: tuple[tuple[str, str], ...]


Chart = LineChart | ShareChart | CountChart | IntervalChart | FlowChart


@dataclass(frozen=True)
class Part:
    """A stretch of the report. The smaller ``rank``, the longer it stays when space runs out.

    ``links`` are labels with paths beside the report, ``pages`` labels with addresses that fit ``ADDRESS``.
    """

    title: str
    rank: int
    sentences: tuple[str, ...] = ()
    bullets: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()
    diff: str = ""
    links: tuple[tuple[str, str], ...] = ()
    pages: tuple[tuple[str, str], ...] = ()
    folded: bool = False
    mark: Outcome | None = None
    parts: tuple["Part", ...] = field(default=())

    def __bool__(self) -> bool:
        """Whether there is anything to show."""
        words = (self.sentences, self.bullets, self.tables, self.charts, self.diff, self.links, self.pages)
        return any((*words, self.parts))


@dataclass(frozen=True)
class Document:
    """The whole report: one sentence first."""

    title: str
    ending: str
    headline: str
    facts: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...]
