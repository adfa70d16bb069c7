"""Which language a text is in, by py3langid (Lui and Baldwin 2012); short texts are in any."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

LETTERS = 20
"""Fewer tell nothing."""
_LETTER = re.compile(r"[^\W\d_]")


def foreign(texts: "pl.Series", language: str) -> "pl.Series":
    """Whether each text is in another language (ISO 639-1); null of a missing one."""
    import polars as pl

    found = [None if text is None else _is_foreign(text, language) for text in texts.to_list()]
    return pl.Series(texts.name, found, dtype=pl.Boolean)


def _is_foreign(text: str, language: str) -> bool:
    import py3langid

    return len(_LETTER.findall(text)) >= LETTERS and py3langid.classify(text)[0] != language
