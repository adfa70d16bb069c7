"""What is left in shared memory is told from what others use at the moment."""

import uuid
from pathlib import Path

from . import shared_memory


def test_what_a_living_process_holds_is_not_left_over() -> None:
    path = Path("/dev/shm") / f"acts-{uuid.uuid4().hex}"
    try:
        with path.open("w"):
            assert path not in shared_memory.left_over()
        assert path in shared_memory.left_over()
    finally:
        path.unlink()
