"""Images as numbers a learner takes: every pixel from 0 to 1, or the mean of each of a few fields.

Both are one multiplication, so that a graph does the very same; a missing pixel is black.
"""

from typing import TYPE_CHECKING, Any

from sklearn.base import BaseEstimator, TransformerMixin

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

WHITE = 255.0
FIELDS = 8
"""A pooled image has so many fields a side, or as many as it has pixels."""


class Pixels(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Columns of one image, (height, width, channels), to float32: all of them, or pooled to fields of each channel."""

    def __init__(self, shape: tuple[int, ...], pooled: bool = False) -> None:
        self.shape, self.pooled = shape, pooled

    def fit(self, frame: "pd.DataFrame", target: Any = None) -> "Pixels":
        """Nothing is learnt from the rows."""
        self.width_ = fields(self.shape).shape[1] if self.pooled else frame.shape[1]
        return self

    def transform(self, frame: "pd.DataFrame") -> "np.ndarray":
        """Shape (rows, pixels and channels) or (rows, fields and channels)."""
        import numpy as np

        values = np.nan_to_num(frame.to_numpy(np.float32)) * np.float32(1 / WHITE)
        made: np.ndarray = values @ fields(self.shape) if self.pooled else values
        return made


def fields(shape: tuple[int, ...]) -> "np.ndarray":
    """The matrix (height * width * channels, fields * channels) by which pixels become the means of their fields."""
    import numpy as np

    height, width, channels = shape
    rows, columns = _sides(height), _sides(width)
    grid = np.einsum("hr,wc,kl->hwkrcl", rows, columns, np.eye(channels))
    matrix: np.ndarray = grid.reshape(height * width * channels, -1).astype(np.float32)
    return matrix


def _sides(pixels: int) -> "np.ndarray":
    """(pixels, fields): the share of each pixel in the mean of its field."""
    import numpy as np

    field = np.arange(pixels) * min(FIELDS, pixels) // pixels
    members = field[:, None] == np.arange(min(FIELDS, pixels))
    shares: np.ndarray = members / members.sum(axis=0)
    return shares
