"""What each word of a text added to a model's answer: the sampling of :mod:`attributions`, over words there or not.

Without any of its words a text is empty; from there to the whole text the parts add up.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .part_attributions import attribute_parts
from .walks import Answer, Columns

if TYPE_CHECKING:
    import numpy as np

MOST_PIECES = 60
_PIECE = re.compile(r"\w+\W*|^\W+")


@dataclass(frozen=True)
class WordAttributions:
    """``pieces`` in a row are the text; ``values`` (pieces, k) and ``base`` (k,), the answer to no text, add up to the
    answer."""

    pieces: tuple[str, ...]
    values: "np.ndarray"
    base: "np.ndarray"


def attribute_words(
    answer: Answer, row: Columns, column: str, pairs: int = 25, seed: int = 0
) -> WordAttributions | None:
    """Explain the text that ``row``, columns of shape (1, width), has in ``column``; None where it has no word.

    Costs at most ``2 * pairs * (pieces - 1)`` answers.

    Raises:
        RefusedError, MachineryError: as :func:`attributions.attribute`.
    """
    import numpy as np

    pieces = pieces_of(str(row[column].reshape(-1)[0]))
    if not pieces:
        return None

    def build(there: "np.ndarray") -> "np.ndarray":
        kept = ["".join(piece for piece, is_there in zip(pieces, each, strict=True) if is_there) for each in there]
        return np.array(kept, object).reshape(-1, 1)

    found = attribute_parts(answer, row, column, len(pieces), build, pairs, seed)
    return WordAttributions(tuple(pieces), found.values, found.base)


def pieces_of(text: str) -> list[str]:
    """The text cut before each word; of a long one, neighbours stay together."""
    pieces = _PIECE.findall(text) if re.search(r"\w", text) else []
    together = -(-len(pieces) // MOST_PIECES)
    return ["".join(pieces[first : first + together]) for first in range(0, len(pieces), max(1, together))]
