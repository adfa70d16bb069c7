"""``python -m tests.serving.hanging_disk``: a server whose disk doesn't answer while the file $HANGS_WHILE is there."""

import os
import sys
import time
from pathlib import Path

from dagster_project.serving.__main__ import main

_fdatasync = os.fdatasync


def hanging(file: int) -> None:
    """As ``os.fdatasync``, once the disk answers."""
    while Path(os.environ["HANGS_WHILE"]).exists():
        time.sleep(0.01)
    _fdatasync(file)


if __name__ == "__main__":
    os.fdatasync = hanging
    sys.exit(main())
