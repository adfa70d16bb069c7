"""Environments of other tools, which do not get along with ours: made once below ``.acts/environments``."""

import os
import subprocess
import venv
from pathlib import Path

from dagster_project.domain.fingerprint import ROOT


def environment(name: str, *requirements: str) -> Path:
    """The Python of an environment with exactly these requirements; the marker is written last."""
    folder = ROOT / ".acts" / "environments" / name
    done, wanted = folder / "installed", "\n".join(requirements)
    if not done.exists() or done.read_text() != wanted:
        venv.create(folder, with_pip=True, clear=True)
        quiet = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_COMPILE": "1"}
        command: list[str | Path] = [folder / "bin" / "pip", "install", "--quiet", *requirements]
        subprocess.run(command, check=True, capture_output=True, env=quiet)
        done.write_text(wanted)
    return folder / "bin" / "python"
