"""Text as terms: tf-idf of words or characters, made so that a graph of ONNX operators makes the very same.

Letters from A to Z are lowered, all others stay as they are: how a graph lowers those depends on the machine's locales.
A word is a run of letters, digits and underscores of any script; a character is a character, white space too.
"""

import re
from itertools import chain
from typing import TYPE_CHECKING, Any

from sklearn.base import BaseEstimator, TransformerMixin

from dagster_project.domain.errors import RefusedError
from dagster_project.domain.spec import TextTransform

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer

MAX_TERMS = 20_000
"""Terms of a column: those in the most rows are kept."""
MIN_ROWS = 2
"""A term that stands in one row alone says nothing of another."""
LENGTHS: dict[TextTransform, tuple[int, int]] = {"words": (1, 2), "characters": (2, 4)}
"""How many words or characters make a term: the fewest, the most."""
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_WORD = re.compile(r"\w+")


class Terms(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Columns of text to float32 tf-idf, each column's rows of length one (Salton and Buckley 1988).

    ``names`` are the columns' own, for messages; ``columns_`` has the fitted vectoriser of each, in the frame's order.
    """

    def __init__(self, unit: TextTransform = "words", names: tuple[str, ...] = ()) -> None:
        self.unit, self.names = unit, names

    def fit(self, frame: "pd.DataFrame", target: Any = None) -> "Terms":
        """Find each column's terms.

        Raises:
            RefusedError: a column has none.
        """
        self.columns_ = [self._vectorizer(frame[c], name) for c, name in zip(frame, self.names, strict=True)]
        return self

    def transform(self, frame: "pd.DataFrame") -> "csr_matrix":
        """Shape (rows, terms of all columns)."""
        import numpy as np
        from scipy.sparse import hstack

        parts = [fitted.transform(frame[column]) for fitted, column in zip(self.columns_, frame, strict=True)]
        return hstack(parts, format="csr", dtype=np.float32)

    @property
    def widths(self) -> list[int]:
        """How many terms each column has."""
        return [len(fitted.vocabulary_) for fitted in self.columns_]

    def _vectorizer(self, texts: "pd.Series", name: str) -> "TfidfVectorizer":
        import numpy as np
        from sklearn.feature_extraction.text import TfidfVectorizer

        fitted = TfidfVectorizer(
            preprocessor=lowered, tokenizer=tokens_of(self.unit), token_pattern=None, ngram_range=LENGTHS[self.unit],
            min_df=MIN_ROWS, max_features=MAX_TERMS, dtype=np.float32,
        )  # fmt: skip
        try:
            return fitted.fit(texts)
        except ValueError as error:  # scikit-learn refuses to keep nothing
            said = f"no {self.unit} of {name} stand in {MIN_ROWS} train rows: nothing can be learnt from it"
            raise RefusedError(f"{said}. Leave it out.") from error


def lowered(text: str) -> str:
    """A to Z in small letters."""
    return text.translate(_LOWER)


def words(text: str) -> list[str]:
    """Runs of letters, digits and underscores."""
    return _WORD.findall(text)


def tokens_of(unit: TextTransform) -> Any:
    """The function that cuts a text; characters are cut by ``list``."""
    return words if unit == "words" else list


def numbers_a_row(texts: "pd.Series", unit: TextTransform) -> int:
    """What terms take on average of a sparse matrix's row, at most: a value and a place each."""
    import numpy as np

    cut, (fewest, most) = tokens_of(unit), LENGTHS[unit]
    tokens = np.array([len(cut(text)) for text in texts])
    terms = sum(np.maximum(0, tokens - size + 1) for size in range(fewest, most + 1))
    return int(2 * np.ceil(np.mean(terms)))


def terms_of(fitted: "TfidfVectorizer", unit: TextTransform) -> "list[tuple[str, ...]]":
    """The terms by their column, each as its tokens: scikit-learn joins them by a space, which is a character too."""
    ranked = sorted(fitted.vocabulary_, key=fitted.vocabulary_.__getitem__)
    return [tuple(term[::2]) if unit == "characters" else tuple(term.split(" ")) for term in ranked]


def weights_of(fitted: "TfidfVectorizer") -> "np.ndarray":
    """The terms' inverse document frequencies, float32."""
    import numpy as np

    return np.asarray(fitted.idf_, np.float32)


def pool_of(terms: "list[tuple[str, ...]]") -> "tuple[list[str], list[int], list[int]]":
    """The terms as the operator TfIdfVectorizer has them: tokens in a row, shortest terms first, with where terms of
    each length begin, and the column of each term."""
    longest = max(map(len, terms))
    by_length = [[place for place, term in enumerate(terms) if len(term) == size] for size in range(1, longest + 1)]
    begins, at = [], 0
    for size, places in enumerate(by_length, 1):
        begins.append(at)
        at += size * len(places)
    order = list(chain.from_iterable(by_length))
    return [token for place in order for token in terms[place]], begins, order
