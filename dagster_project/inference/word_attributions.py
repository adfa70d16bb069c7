"""What each word of a text added to a model's answer: the sampling of :mod:`attributions`, over words there or not.

Without any of its words a text is empty; from there to the whole text the parts add up.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .attributions import attribute
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
    names = [f"{place}" for place in range(len(pieces))]

    def answer_to(there: Columns) -> "np.ndarray":
        kept = np.hstack([there[name].reshape(-1, 1) for name in names]) > 0
        texts = ["".join(piece for piece, is_there in zip(pieces, each, strict=True) if is_there) for each in kept]
        same = {name: np.repeat(values, len(texts), axis=0) for name, values in row.items()}
        return answer({**same, column: np.array(texts, object).reshape(-1, 1)})

    whole, nothing = ({name: np.full((1, 1), here, np.float32) for name in names} for here in (1.0, 0.0))
    found = attribute(answer_to, whole, nothing, pairs=pairs, seed=seed)
    return WordAttributions(tuple(pieces), found.values[0], found.base)


def pieces_of(text: str) -> list[str]:
    """The text cut before each word; of a long one, neighbours stay together."""
    pieces = _PIECE.findall(text) if re.search(r"\w", text) else []
    together = -(-len(pieces) // MOST_PIECES)
    return ["".join(pieces[first : first + together]) for first in range(0, len(pieces), max(1, together))]
