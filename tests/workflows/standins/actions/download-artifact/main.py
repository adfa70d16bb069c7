"""Unpack artifacts, of this run or, with a token, of another."""

import fnmatch
import hashlib
import io
import os
import zipfile
from pathlib import Path
from typing import Any

import api


def main() -> None:
    """Each into its own folder, unless one was named or they are to be merged."""
    given = api.inputs()
    to = Path(os.environ["GITHUB_WORKSPACE"], given["path"])
    found = [one for one in listed(given) if wanted(one, given)]
    if given["name"] and not found:
        api.fail(f"Unable to download artifact(s): Artifact not found for name: {given['name']}")
    alone = bool(given["name"]) or given["merge-multiple"] == "true"
    for one in found:
        unpack(one, content(one, given), to if alone else to / one["name"])
    api.put_out(download_path=to)


def listed(given: dict[str, str]) -> list[dict[str, Any]]:
    """The run's artifacts."""
    path = f"/repos/{given['repository']}/actions/runs/{given['run-id']}/artifacts?per_page=100"
    return list(api.ask("GET", path, given["github-token"])["artifacts"])


def wanted(one: dict[str, Any], given: dict[str, str]) -> bool:
    """By name, else by number, else by pattern, else all."""
    if given["name"]:
        return bool(one["name"] == given["name"])
    if given["artifact-ids"]:
        return str(one["id"]) in [number.strip() for number in given["artifact-ids"].split(",")]
    return fnmatch.fnmatchcase(one["name"], given["pattern"] or "*")


def content(one: dict[str, Any], given: dict[str, str]) -> bytes:
    """The zip. A job needs no token for its own run: there the double's own address is asked."""
    if given["run-id"] != os.environ["OWN_RUN"]:
        if not given["github-token"]:
            api.fail("github-token is needed for the artifacts of another run")
        return bytes(
            api.ask("GET", f"/repos/{given['repository']}/actions/artifacts/{one['id']}/zip", given["github-token"])
        )
    signature = one["digest"].removeprefix("sha256:")[:32]
    return bytes(api.ask("GET", f"/_double/artifacts/{given['repository']}/{one['id']}?signature={signature}", ""))


def unpack(one: dict[str, Any], data: bytes, folder: Path) -> None:
    """Write its files, if it is the artifact that was uploaded."""
    if f"sha256:{hashlib.sha256(data).hexdigest()}" != one["digest"]:
        api.fail(f"artifact {one['name']} is not what was uploaded: its digest differs")
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(folder)


main()
