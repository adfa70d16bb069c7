"""What is wrong with a request, in words that its sender can act on."""

from collections.abc import Iterable, Sequence

MOST = 20
NAME_LENGTH = 80


class BadRequest(Exception):  # noqa: N818 - its name is what it means in HTTP
    """A request that cannot be answered, and the HTTP status that says so. ``str(error)`` is the answer's text."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


class Wrong(ValueError):  # noqa: N818 - never leaves this package
    """One tensor is wrong; who catches it knows the tensor's name."""


class Problems:
    """Every tensor's problem, so that the client hears of all of them at once."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self._texts: list[str] = []

    def __bool__(self) -> bool:
        return bool(self._texts)

    def add(self, name: str, text: str) -> None:
        """The tensor or column ``name`` is wrong in the way that ``text`` says."""
        self.names.add(name)
        self._texts.append(f"{shown(name)}: {text}")

    def extend(self, name: str, texts: Iterable[str]) -> None:
        """Several problems of one tensor."""
        for text in texts:
            self.add(name, text)

    def refuse(self) -> None:
        """Raises BadRequest where there is any problem."""
        if not self._texts:
            return
        more = len(self._texts) - MOST
        raise BadRequest("\n".join(self._texts[:MOST]) + (f"\nand {more} more" if more > 0 else ""))


def shown(value: object) -> str:
    """A client's own words, quoted, short and without control characters."""
    text = value if isinstance(value, str) else str(value)
    return repr(text if len(text) <= NAME_LENGTH else text[:NAME_LENGTH] + "...")


def listed(names: Sequence[str], most: int = 40) -> str:
    """What there is to choose from."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def counted(number: int) -> str:
    """A client's own number; one of thousands of digits is cut short."""
    return str(number) if abs(number) < 1 << 63 else "beyond 64 bits"
