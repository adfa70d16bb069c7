"""Text of others, for terminals."""


def plain(text: str) -> str:
    """The text with control characters shown: a file may have smuggled them in, and a terminal would obey."""
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)
