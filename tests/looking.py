"""Look at something again and again while a test does something else."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def looking(seconds: float, look: Callable[[], object]) -> Iterator[None]:
    """Call ``look`` on a thread of its own each so many ``seconds``, until what runs inside is over."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(seconds):
            look()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
