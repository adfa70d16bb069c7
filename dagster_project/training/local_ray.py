"""A Ray of our own on this machine: on loopback, token-authenticated, gone with us however we end.

However the program dies, the kernel ends Ray's daemons (``PR_SET_PDEATHSIG``, which holds while the thread that
started them lives: start Ray on the main thread). The watcher, a small process that outlives us, then ends what is
left of the session and removes its folder. So there is one way out for success, Ctrl-C, SIGTERM and SIGKILL alike.
"""

import atexit
import importlib
import logging
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dagster_project.domain.compute import ROWS
from dagster_project.domain.errors import MachineryError
from dagster_project.training import watcher

PREFIX = "acts-ray-"
_TORCH_CACHE = "TORCHINDUCTOR_CACHE_DIR"
_LONGEST_BASE = 40  # Ray's socket paths are ~60 characters longer; the kernel takes 107
_ATTEMPTS = 3  # Ray gives itself 30 seconds, too few on a machine with much else to do
_STORE_BYTES = 4 * 1024**3
_SMALLEST_STORE = 100 * 1024**2
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DISABLE_IMPORT_WARNING": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "3600",
}


@contextmanager
def local_ray(cpus: int, gpus: int = 0, ready: Callable[[], object] = lambda: None) -> Iterator[Path]:
    """Ray with ``cpus`` slots and ``gpus`` cards, and the session's folder. Call it on the main thread.

    ``ready`` is called before Ray starts, once the environment is made and the libraries are loaded: what it begins on
    another thread goes on meanwhile.

    Raises:
        MachineryError: Ray did not start.
    """
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=short_folder()))
    watch = start_watcher(folder)
    try:
        _set_environment(folder)
        load_libraries()
        ready()
        _start(folder, cpus, gpus)
        yield folder
    finally:
        _stop()
        end_watcher(watch)
        _move_torch_cache()


def _move_torch_cache() -> None:
    """Torch makes its compiler's cache where it is told to, also where the session's folder was: elsewhere from now."""
    folder = tempfile.TemporaryDirectory(prefix="acts-torch-")
    atexit.register(folder.cleanup)
    os.environ[_TORCH_CACHE] = folder.name


def short_folder() -> Path:
    """The folder for temporary files, where its name leaves room for Ray's socket paths."""
    base = Path(tempfile.gettempdir())
    return base if len(str(base)) <= _LONGEST_BASE else Path(os.sep, "tmp")


def start_watcher(folder: Path) -> "subprocess.Popen[bytes]":
    """A process that sees us end (its standard input closes), whatever ends us."""
    command = [sys.executable, "-I", "-S", watcher.__file__, str(folder)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)


def end_watcher(watch: "subprocess.Popen[bytes]") -> None:
    """Let the watcher clean up now, and wait for it."""
    assert watch.stdin is not None
    watch.stdin.close()
    watch.wait(timeout=60)


def load_libraries() -> None:
    """Load what is compiled, on this thread: two that load libraries at once, or set variables meanwhile, may crash.

    Ray reads its environment when it is loaded.
    """
    for name in ("pandas", "polars", "pyarrow", "ray", "sklearn.compose", "sklearn.linear_model"):
        importlib.import_module(name)


def _set_environment(folder: Path) -> None:
    token = folder / "token"
    token.touch(mode=0o600)
    token.write_text(secrets.token_hex(32))
    os.environ.pop("RAY_ADDRESS", None)
    os.environ.update(
        QUIET, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN_PATH=str(token), **{_TORCH_CACHE: str(folder / "inductor")}
    )


def _start(folder: Path, cpus: int, gpus: int) -> None:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            _init(folder / str(attempt), cpus, gpus)
            break
        except Exception as error:
            _stop()
            if attempt == _ATTEMPTS:
                words = f"Ray did not start in {folder}: {error}. Look at memory, disk, load and open ports."
                raise MachineryError(words) from error
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # Ray's own handler waits; the watcher does not need it


def _init(folder: Path, cpus: int, gpus: int) -> None:
    import ray

    ray.init(
        address="local",
        num_cpus=cpus,
        num_gpus=gpus,
        object_store_memory=object_store_bytes(),
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        _temp_dir=str(folder),
        _node_ip_address="127.0.0.1",
    )


def _stop() -> None:
    import ray

    ray.shutdown()


def memory_for_rows() -> int:
    """Bytes that prepared rows may take on this machine. What the object store has no room for, Ray keeps on disk."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // ROWS


def object_store_bytes() -> int:
    """Size of Ray's object store: what shared memory has room for, within limits. Pages are taken when used."""
    status = os.statvfs("/dev/shm")
    free = status.f_bavail * status.f_frsize
    return max(_SMALLEST_STORE, min(_STORE_BYTES, int(free * 0.6)))
