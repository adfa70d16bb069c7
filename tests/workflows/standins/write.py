"""Write into the journal of a run what was asked for: ``write.py NAME ARGUMENT...``, or an action's inputs."""

import json
import os
import sys
from pathlib import Path
from typing import Any

JOURNAL, INPUTS = "ACTING_JOURNAL", "ACTING_INPUTS"


def write(name: str, what: Any) -> None:
    """Append one line; appending is atomic, so that jobs may write at the same time."""
    line = json.dumps({"name": name, "job": os.environ["GITHUB_JOB"], "folder": str(Path.cwd()), "what": what})
    with Path(os.environ[JOURNAL]).open("a") as file:
        file.write(line + "\n")


if __name__ == "__main__":
    write(sys.argv[1], sys.argv[2:] or json.loads(os.environ[INPUTS]))
