"""Tools from npm, which the project does not need itself: installed once below ``.acts/environments``."""

import shutil
import subprocess
from pathlib import Path

import pytest

from dagster_project.domain.fingerprint import ROOT


def node_tool(package: str, program: str) -> Path:
    """The program that ``package`` (name@version) brings; the test is skipped where there is no Node to run it."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip(f"{package} needs node and npm")
    folder = ROOT / ".acts" / "environments" / program
    done = folder / "installed"
    if not done.exists() or done.read_text() != package:
        folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), package]
        subprocess.run(command, check=True, capture_output=True)
        done.write_text(package)
    return folder / "node_modules" / ".bin" / program
