"""What is left in /dev/shm, told from what others use at the moment."""

import re
from contextlib import suppress
from pathlib import Path

from tests.kubernetes.processes import process

_OF_JOBLIB = re.compile(r"(?:sem\.loky-|joblib_memmapping_folder_)(\d+)")


def left_over() -> set[Path]:
    """Entries that no living process has open or mapped, or named after itself: others work here too."""
    there = set(Path("/dev/shm").iterdir())  # before who holds what, else what comes between is held by nobody
    held = _held()
    return {path for path in there if str(path) not in held and not _named_by_the_living(path.name)}


def _held() -> set[str]:
    held = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            held |= set(re.findall(r"/dev/shm/\S+", (folder / "maps").read_text(errors="replace")))
            for descriptor in (folder / "fd").iterdir():
                with suppress(OSError):  # it is closed
                    held.add(str(descriptor.readlink()))
    return held


def _named_by_the_living(name: str) -> bool:
    found = _OF_JOBLIB.match(name)
    return found is not None and process(int(found[1])) is not None
