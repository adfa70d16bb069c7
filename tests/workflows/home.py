"""The folder that one run of act lives in: home, caches, temporary files, event, settings, journal."""

import json
import shutil
import subprocess
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.workflows.pins import STANDINS

_FOLDERS = {"HOME": "home", "XDG_CACHE_HOME": "cache", "XDG_CONFIG_HOME": "config", "TMPDIR": "tmp"}
_SYSTEM = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


class Home:
    """Nothing that a run writes goes elsewhere; ``mark`` is in the environment of each process that it starts."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.mark = f"ACTING_RUN={uuid.uuid4().hex}"
        self.journal, self.log = place / "journal", place / "log"
        self.repositories, self.said = place / "repositories", place / "said"
        for folder in (*_FOLDERS.values(), self.repositories.name, self.said.name):
            (place / folder).mkdir()

    def environment(self) -> dict[str, str]:
        """act's own environment, which every step inherits: nothing of the caller's but where node and git are."""
        tools = [str(Path(found).parent) for found in (shutil.which("node"), shutil.which("git")) if found]
        name, value = self.mark.split("=")
        places = {key: str(self.place / folder) for key, folder in _FOLDERS.items()}
        path = dict.fromkeys((str(STANDINS / "bin"), *tools, *_SYSTEM))
        return {"PATH": ":".join(path), "LANG": "C.UTF-8", name: value, **places}

    def link(self, repositories: Mapping[str, Path]) -> None:
        """Let the stand-in of checkout find these bare repositories by "owner/name"."""
        for name, bare in repositories.items():
            at = self.repositories / name
            at.parent.mkdir(exist_ok=True)
            at.symlink_to(bare.resolve())

    def options(
        self,
        payload: Mapping[str, Any],
        env: Mapping[str, str],
        secrets: Mapping[str, str],
        variables: Mapping[str, str],
    ) -> list[str]:
        """act's options for the event and the settings; YAML files, because a private key has many lines."""
        event = self.place / "event.json"
        event.write_text(json.dumps(payload))
        options = [
            f"--eventpath={event}",
            f"--input-file={self.place / 'none'}",
            f"--actor={payload['sender']['login']}",
        ]
        repository = {"GITHUB_REPOSITORY": payload["repository"]["full_name"]}
        for kind, values in (
            ("env", {**self._standins(), **repository, **env}),
            ("secret", secrets),
            ("var", variables),
        ):
            file = self.place / f"{kind}.yml"
            file.write_text(yaml.safe_dump(dict(values)))
            options.append(f"--{kind}-file={file}")
        return options

    def text(self) -> str:
        """act's log, whose lines joblog.entries reads."""
        return self.log.read_text(errors="replace")

    def prints(self) -> str:
        """What each step printed, its job and itself named before it, in the order of their last words."""
        files = sorted(self.said.iterdir(), key=lambda file: file.stat().st_mtime_ns)
        return "\n".join(file.read_text(errors="replace").rstrip() for file in files)

    def _standins(self) -> dict[str, str]:
        return {
            "ACTING_PYTHON": sys.executable,
            "ACTING_TOOLS": str(STANDINS),
            "ACTING_JOURNAL": str(self.journal),
            "ACTING_REPOSITORIES": str(self.repositories),
            "ACTING_SAID": str(self.said),
            "ACTING_BASH": shutil.which("bash") or "/bin/bash",
        }


def origin(clone: Path) -> Path:
    """The repository that a clone on disk was made from."""
    done = subprocess.run(["git", "remote", "get-url", "origin"], cwd=clone, check=True, capture_output=True, text=True)
    return Path(done.stdout.strip().removeprefix("file://"))
