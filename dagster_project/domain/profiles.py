"""Read the platform's profiles: ``ACTS_COMPUTE`` names the file, else the package's own is read."""

import os
from pathlib import Path

from .compute import Profiles
from .errors import UsageError, UserFileError
from .specs import read

INSTALLED = Path(__file__).resolve().parents[1] / "deployment" / "compute.yaml"


def load_profiles(file: Path | None = None) -> Profiles:
    """The profiles, from ``file`` or from where the environment says.

    Raises:
        UsageError: the file can't be read.
        UserFileError: with every problem in it.
    """
    path = file or Path(os.environ.get("ACTS_COMPUTE") or INSTALLED)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: the compute profiles can't be read: {error.strerror}.") from error
    profiles, _, problems = read(Profiles, data, str(path))
    if problems or profiles is None:
        raise UserFileError(problems)
    return profiles
