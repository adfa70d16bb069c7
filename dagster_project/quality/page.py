"""A suite's findings as one HTML page that needs nothing from anywhere."""

import re
from collections.abc import Sequence
from html import escape
from typing import Any, Literal

from dagster_project.domain.verdict import Finding, Outcome

Displays = Literal["none", "problems", "all"]
_WORTH_SHOWING = (Outcome.FAILED, Outcome.WARNED)
_TAGS = "(/?(?:a|b|br|i|li|ol|p|small|span|strong|u|ul))"
_TAG = re.compile(rf"<{_TAGS}(?:\s[^<>]*)?/?>", re.IGNORECASE)
_HARMLESS = re.compile(rf"&lt;{_TAGS}&gt;", re.IGNORECASE)
_FIGURE = '<div class="figure">'

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}
table{border-collapse:collapse;font-size:13px;margin:.6rem 0;display:block;overflow-x:auto}
td,th{border:1px solid #d0d7de;padding:.2rem .5rem;text-align:left;vertical-align:top}
section{border-top:1px solid #d0d7de;padding:.4rem 0}h2{font-size:1.05rem;margin:.4rem 0}
.passed{color:#1a7f37}.failed,.broken{color:#b3261e}.warned{color:#8a5700}.not_applicable{color:#59636e}
"""


def fragment(finding: Finding, display: Sequence[Any], displays: Displays) -> str:
    """One check's section. What deepchecks would show stands below it, if wanted."""
    shown = displays == "all" or (displays == "problems" and finding.outcome in _WORTH_SHOWING)
    rows = f" <small>{escape(finding.rows)}</small>" if finding.rows else ""
    head = f'<section><h2>{escape(finding.name)}{rows} <span class="{finding.outcome}">{finding.outcome}</span></h2>'
    conditions = [
        f'<li class="{item["outcome"]}">{escape(item["condition"])}: {escape(item["details"])}</li>'
        for item in finding.details.get("conditions", ())
    ]
    body = f"<ul>{''.join(conditions)}</ul>" if conditions else f"<p>{escape(finding.summary)}</p>"
    return head + body + ("".join(map(_item, display)) if shown else "") + "</section>"


def page(suite: str, fragments: Sequence[str], counts: dict[str, int]) -> str:
    """The whole page; plotly's script is put in once, only where there is a figure."""
    title = f"deepchecks: {suite.replace('_', ' ')}"
    script = ""
    if any(_FIGURE in part for part in fragments):
        from plotly.offline import get_plotlyjs

        script = f"<script>{get_plotlyjs()}</script>"
    line = ", ".join(f"{number} {outcome.replace('_', ' ')}" for outcome, number in counts.items() if number)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style>{script}</head><body><h1>{escape(title)}</h1><p>{escape(line)}</p>"
        f"{''.join(fragments)}</body></html>"
    )


def _item(item: Any) -> str:
    """Text, table, styled table, plotly figure, or tabs of these."""
    import pandas as pd
    from plotly.basedatatypes import BaseFigure
    from plotly.io import to_html

    if isinstance(item, str):
        return f"<div>{tame(item)}</div>"
    if isinstance(item, pd.DataFrame):
        return str(item.to_html(max_rows=50, notebook=False, border=0))
    if isinstance(item, BaseFigure):
        return _FIGURE + str(to_html(item, full_html=False, include_plotlyjs=False)) + "</div>"
    if isinstance(item, dict):
        return "".join(f"<h3>{escape(str(tab))}</h3>{''.join(map(_item, items))}" for tab, items in item.items())
    table = getattr(item, "data", None)  # a pandas Styler, which would not escape its cells
    return _item(table) if isinstance(table, pd.DataFrame) else f"<p>{escape(repr(item))}</p>"


def tame(markup: str) -> str:
    """Harmless tags without attributes stay, all others show as text: names and values come from the rows."""
    return _HARMLESS.sub(r"<\1>", escape(_TAG.sub(r"<\1>", markup), quote=False))
