"""How the process gives memory back to the system."""

import ctypes

LARGE = 4 * 1024**2
"""Bytes of a block that is given back by itself, as soon as it is free."""
SPARE = 2 * 1024**2
"""Bytes that may stay free at the end of the heap."""
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # malloc.h


def give_back_large_blocks() -> None:
    """Hold glibc to the two bounds, mallopt(3); other C libraries have no such call and are left as they are.

    Left alone it raises them to the largest block that was ever freed, up to 32 MB, and to twice that: after one
    request of 30 MB the memory of every smaller one may stay with the process for good.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, LARGE)
        mallopt(_TRIM_THRESHOLD, SPARE)
