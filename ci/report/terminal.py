"""The report as plain text: aligned tables, colour only where the caller says that a terminal reads it."""

import textwrap
from collections.abc import Iterator

from dagster_project.domain.verdict import Outcome

from .document import Cell, Document, Part, ShareChart, Table
from .text import block, plain

WIDTH = 110
WIDEST = 58
COLOURS = {
    "passed": "32",
    "failed": "31",
    "planned": "36",
    "refused": "31",
    "wrong": "31",
    "broken": "35",
    "warned": "33",
    "not_applicable": "2",
}


class Terminal:
    """Renders one document; ``colour`` False writes no escape sequence at all."""

    def __init__(self, *, colour: bool, width: int = WIDTH) -> None:
        self.colour = colour
        self.width = max(40, width)

    def render(self, document: Document) -> str:
        """The whole text, with a final newline."""
        lines = [self._styled(line, f"1;{COLOURS[document.ending]}") for line in self._wrap(document.headline)]
        lines += self._wrap("   ".join(f"{label} {value}" for label, value in document.facts))
        for part in document.parts:
            lines += self._part(part, depth=0)
        return "\n".join(lines) + "\n"

    def _part(self, part: Part, depth: int) -> Iterator[str]:
        if part.folded:
            yield self._styled(f"  + {plain(part.title)} (in the HTML page)", "2")
            return
        yield ""
        mark = f"  {_word(part.mark)}" if part.mark else ""
        title = plain(part.title)
        yield self._styled(title, "1") + (self._styled(mark, COLOURS[part.mark]) if part.mark else "")
        if depth == 0:
            yield "─" * min(self.width, len(title + mark))
        for sentence in part.sentences:
            yield from self._wrap(sentence)
        for bullet in part.bullets:
            yield from self._wrap(bullet, first="• ", rest="  ")
        for table in part.tables:
            yield from self._table(table)
        for chart in part.charts:
            if isinstance(chart, ShareChart):
                yield from self._bars(chart)
        yield from (self._diff_line(line) for line in block(part.diff).rstrip("\n").split("\n") if part.diff)
        yield from (f"• {plain(label)}: {page}" for label, page in part.pages)
        for inner in part.parts:
            yield from self._part(inner, depth + 1)

    def _table(self, table: Table) -> Iterator[str]:
        cells = [[_word(cell) for cell in row] for row in (table.columns, *table.rows)]
        widths = [min(WIDEST, max(len(row[i]) for row in cells)) for i in range(len(table.columns))]
        outcomes: list[tuple[Cell, ...]] = [table.columns, *table.rows]
        for index, (row, raw) in enumerate(zip(cells, outcomes, strict=True)):
            wrapped = [textwrap.wrap(cell, width) or [""] for cell, width in zip(row, widths, strict=True)]
            for line in range(max(len(cell) for cell in wrapped)):
                yield (
                    "  "
                    + "  ".join(
                        self._cell(cell[line] if line < len(cell) else "", widths[i], raw[i], i in table.numeric)
                        for i, cell in enumerate(wrapped)
                    ).rstrip()
                )
            if index == 0:
                yield "  " + "  ".join("─" * width for width in widths)

    def _cell(self, text: str, width: int, raw: Cell, numeric: bool) -> str:
        padded = text.rjust(width) if numeric else text.ljust(width)
        return self._styled(padded, COLOURS[raw]) if isinstance(raw, Outcome) else padded

    def _bars(self, chart: ShareChart) -> Iterator[str]:
        largest = max((*chart.values, 1e-12))
        width = max(len(plain(label, 30)) for label in chart.labels)
        yield f"  {plain(chart.title)}"
        for label, value in zip(chart.labels, chart.values, strict=True):
            bar = "█" * max(0, round(30 * value / largest))
            yield f"  {plain(label, 30).ljust(width)}  {bar} {100 * value:.1f} %"

    def _diff_line(self, line: str) -> str:
        code = {"+": "32", "-": "31", "@": "36"}.get(line[:1])
        return "  " + (self._styled(line, code) if code else line)

    def _wrap(self, text: str, first: str = "", rest: str = "") -> list[str]:
        return textwrap.wrap(plain(text, 2000), self.width, initial_indent=first, subsequent_indent=rest)

    def _styled(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and text else text


def _word(cell: Cell | None) -> str:
    return plain(cell.value.replace("_", " ") if isinstance(cell, Outcome) else cell or "")
