"""An id for each answered row: UUIDv7 (RFC 9562), made in blocks, one block a request.

The random part counts up within a millisecond and where the clock steps back (section 6.2, method 2), so that the ids
of one process are in the order in which they were made.
"""

import os
import threading
import time

from dagster_project.domain.prediction import LOW_BITS

_LOW = (1 << LOW_BITS) - 1
_RAND_B = (1 << 62) - 1
# The 122 bits of an id that are not fixed: 48 of milliseconds, 12 of rand_a, 62 of rand_b.
_MILLISECOND = 74
# Two bits of the random part begin as zero: there is room to count.
_RANDOM_BYTES = 9


class _Counter:
    """The next id's 122 free bits. A process that was forked begins anew: its parent goes on from here."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.next = 0


_counter = _Counter()


def new_ids(rows: int) -> int:
    """The first of ``rows`` consecutive ids (128 bits each), all later than every id this process has made."""
    now = time.time_ns() // 1_000_000 << _MILLISECOND
    counter = _counter
    with counter.lock:
        start = counter.next
        if now > start:
            start = now | int.from_bytes(os.urandom(_RANDOM_BYTES))
        if (start & _LOW) + rows > _LOW:
            start = ((start >> LOW_BITS) + 1) << LOW_BITS
        counter.next = start + rows
    return _as_uuid(start)


def _as_uuid(free: int) -> int:
    """The free bits with version (7) and variant (binary 10) between them."""
    return (free >> _MILLISECOND << 80) | 7 << 76 | (free >> 62 & 0xFFF) << 64 | 2 << 62 | (free & _RAND_B)


def _begin_anew() -> None:
    global _counter
    _counter = _Counter()


os.register_at_fork(after_in_child=_begin_anew)
