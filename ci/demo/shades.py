"""A grey picture as lines of text."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

_DARK_TO_LIGHT = " .:-=+*#%@"


def shades(picture: "np.ndarray") -> list[str]:
    """uint8 (height, width) as half as many lines: a character is twice as high as it is wide."""
    return ["".join(_DARK_TO_LIGHT[int(value) * len(_DARK_TO_LIGHT) // 256] for value in row) for row in picture[::2]]
