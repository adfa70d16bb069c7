"""Strangers' text: shown as it is, never obeyed."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ci.report.text import WORD_JOINER, block, fence, markdown, mermaid, plain

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](https://evil.example/p.png)",
    "[click](javascript:alert(1))",
    "`code` **bold** __bold__ *it* _it_ ~~gone~~",
    "a | b || c",
    "\\| \\` \\\\",
    "# heading",
    "- item",
    "+ item",
    "1. item",
    "12) item",
    "> quote",
    "--- ",
    "``` fence",
    "&lt;b&gt; &amp; &#124;",
    "<!-- gone --> and </details>",
    "[ref]: https://evil.example",
    "$x$ and $$y$$",
    "* * *",
    "[^1] [x] [ ]",
    "0.5",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_shows_the_text_itself(text: str) -> None:
    rendered = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown(text))
    inner = rendered.strip().removeprefix("<p>").removesuffix("</p>").replace("<span>$</span>", "$")
    assert not re.search("<[a-z/!]", inner)
    assert html.unescape(inner).replace(WORD_JOINER, "") == " ".join(text.split())


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_stays_in_its_cell(text: str) -> None:
    rendered = MarkdownIt("commonmark").enable("table").render(f"| a | b |\n|---|---|\n| {markdown(text)} | end |\n")
    assert rendered.count("<td>") == 2
    assert "<td>end</td>" in rendered


@pytest.mark.parametrize("text", ["@octocat", "cc @acme/owners", "x@evil.example", "#1", "acme/repo#12", "GH-3"])
def test_no_mention_and_no_reference(text: str) -> None:
    shown = html.unescape(markdown(text))
    assert not re.search(r"@\w|#\d|GH-\d", shown)


@pytest.mark.parametrize("text", ["https://evil.example", "www.evil.example", "ftp://evil.example"])
def test_no_bare_link(text: str) -> None:
    assert not re.search(r"://\w|www\.\w", html.unescape(markdown(text)))


def test_controls_become_visible() -> None:
    assert plain("a\x1b[31mred\x07\u202eevil\u200b\x9b") == r"a\x1b[31mred\x07\u202eevil\u200b\x9b"
    assert plain("a\r\nb\tc\u2028d") == "a b c d"
    assert plain("x" * 500, 10) == "x" * 9 + "…"
    assert plain("Zürich 東京 ±") == "Zürich 東京 ±"
    assert block("+ a\n\x1b[2J- b") == "+ a\n" + r"\x1b[2J- b"


def test_fence_is_longer_than_what_it_holds() -> None:
    text = fence("a\n````\n```\nb", "diff")
    assert text.startswith("`````diff\n")
    assert text.endswith("\n`````")


@given(st.text(max_size=60))
def test_mermaid_label_never_ends_early(text: str) -> None:
    label = mermaid(text)
    assert re.fullmatch(r'"[^"`;{}\[\]()<>#|%&\\\n]+"', label)


@given(st.text(max_size=80))
def test_any_text_is_one_safe_cell(text: str) -> None:
    rendered = MarkdownIt("commonmark").enable("table").render(f"| a | b |\n|---|---|\n| {markdown(text)} | end |\n")
    assert rendered.count("<td>") == 2
    assert not re.search(r"<(?!/?(table|thead|tbody|tr|th|td|span)\b)", rendered)
