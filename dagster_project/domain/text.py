"""Text of others, for terminals; and shares as every text of ours writes them."""


def plain(text: str) -> str:
    """The text with control characters shown: a file may have smuggled them in, and a terminal would obey."""
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)


def percent(share: float) -> str:
    """A share as ``5.1 %``."""
    return f"{100 * share:.1f} %"
