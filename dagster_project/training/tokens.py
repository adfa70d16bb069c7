"""Text as the places of its words in a hashed vocabulary (Weinberger et al. 2009), in order, for networks that embed.

Words are cut and lowered as in ``terms``. MurmurHash3 is what onnxruntime has as an operator, and scikit-learn too.
"""

from typing import TYPE_CHECKING, Any

from sklearn.base import BaseEstimator, TransformerMixin

from dagster_project.training.terms import lowered, words

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

LENGTH = 64
"""Words of a text that are read; the rest is cut off."""
BUCKETS = 2**15
"""Words that fall into one bucket are one to the network. Far below 2**24, so float32 holds each place exactly."""


class Tokens(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """One column of text to float32 (rows, LENGTH): 1 to BUCKETS, and 0 behind the last word."""

    def fit(self, frame: "pd.DataFrame", target: Any = None) -> "Tokens":
        """Nothing is learnt from the rows."""
        self.width_ = LENGTH
        return self

    def transform(self, frame: "pd.DataFrame") -> "np.ndarray":
        """The places of each text's first words."""
        import numpy as np

        rows = np.zeros((len(frame), LENGTH), np.float32)
        for row, text in enumerate(frame.iloc[:, 0]):
            found = [bucket(word) for word in words(lowered(text))[:LENGTH]]
            rows[row, : len(found)] = found
        return rows


def bucket(word: str) -> int:
    """The place of a word."""
    from sklearn.utils import murmurhash3_32

    hashed = int(murmurhash3_32(word.encode(), seed=0, positive=True))
    return 1 + hashed % BUCKETS if hashed else 0
