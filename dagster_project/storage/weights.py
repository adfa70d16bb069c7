"""Pretrained weights in the artifact store: a safetensors file, its licence, and nothing that runs."""

import json
import struct
from collections.abc import Iterable

from dagster_project.domain.errors import RefusedError, UsageError
from dagster_project.domain.spec import Weights
from dagster_project.storage.store import ArtifactStore

MOST_HEADER = 10_000_000


def keep_weights(store: ArtifactStore, data: bytes, licence: str) -> tuple[str, int]:
    """Put the file into the store and write down its licence; its digest, and how many tensors it has.

    Raises:
        UsageError: it is no safetensors file.
    """
    tensors = tensors_of(data)
    digest = store.put(data)
    store.set_ref(_ref(digest), {"digest": digest, "licence": licence})
    return digest, len(tensors)


def tensors_of(data: bytes) -> dict[str, dict[str, object]]:
    """Names, types and shapes, from the header alone (https://huggingface.co/docs/safetensors, section Format).

    Raises:
        UsageError: it is no safetensors file.
    """
    try:
        (size,) = struct.unpack_from("<Q", data)
        header = json.loads(data[8 : 8 + size]) if size <= min(MOST_HEADER, len(data) - 8) else None
    except (struct.error, ValueError):
        header = None
    if not isinstance(header, dict):
        raise UsageError("no safetensors file. Save the state_dict with safetensors.torch.save_file.")
    return {name: entry for name, entry in header.items() if name != "__metadata__"}


def lend_weights(asked: Iterable[Weights], source: ArtifactStore, target: ArtifactStore) -> None:
    """Copy what a spec names to where training reads.

    Raises:
        RefusedError: nobody has put it into the store as weights, or under another licence.
    """
    for weights in asked:
        known = source.get_ref(_ref(weights.digest))
        if known is None:
            words = f"nobody has put pretrained weights {weights.digest[:19]} into the store"
            raise RefusedError(f"{words}. Run acts weights FILE, or correct the digest.")
        if known["licence"] != weights.licence:
            words = f"the weights {weights.digest[:19]} are under {known['licence']}, the spec says {weights.licence}"
            raise RefusedError(f"{words}. Correct the spec.")
        target.put(source.get(weights.digest))


def _ref(digest: str) -> str:
    return f"weights/{digest.removeprefix('sha256:')}"
