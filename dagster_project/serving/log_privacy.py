"""What of inputs and ids may be written down: restricted columns as keyed hashes."""

import os
import secrets
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path

import numpy as np

from dagster_project.domain.deployment import ServedInput

KEY_FILE = "key"
_HASH_BYTES = 16


def log_inputs(columns: Mapping[str, np.ndarray], inputs: tuple[ServedInput, ...], key: bytes) -> dict[str, np.ndarray]:
    """The columns (rows, width) as they may be kept; a restricted one as 32 hexadecimal digits a value.

    A missing value stays missing ("" in a hashed column): that it is missing is seen in any case.
    """
    kept = {entry.name: (columns[entry.name], entry.restricted) for entry in inputs if entry.name in columns}
    return {name: _hashed_array(column, key) if secret else column for name, (column, secret) in kept.items()}


def hashed(values: Iterable[object], key: bytes) -> list[str]:
    """BLAKE2b (RFC 7693), keyed, of each value's text. Equal values have equal hashes, so that labels can be joined."""
    return [
        "" if value is None or value == "" or value != value
        else blake2b(str(value).encode(), key=key, digest_size=_HASH_BYTES).hexdigest()
        for value in values
    ]  # fmt: skip


def log_key(folder: Path) -> bytes:
    """The key of a log folder, made on first use for its owner alone; servers that share the folder share it.

    Raises:
        OSError: the folder can't be written.
    """
    path = folder / KEY_FILE
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _make_key(path)
    return path.read_bytes()


def _make_key(path: Path) -> None:
    """Written aside, then linked: whoever comes second finds a whole key and keeps it."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, secrets.token_bytes(32))
        os.fsync(descriptor)
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        os.close(descriptor)
        aside.unlink()


def _hashed_array(column: np.ndarray, key: bytes) -> np.ndarray:
    texts = np.empty(column.size, object)
    texts[:] = hashed(column.ravel().tolist(), key)
    return texts.reshape(column.shape)
