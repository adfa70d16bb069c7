"""Zip the files and hand them over."""

import hashlib
import io
import os
import urllib.parse
import zipfile
from pathlib import Path

import api
from selection import select


def main() -> None:
    """Upload, or say what was missing."""
    given = api.inputs()
    patterns = [line.strip() for line in given["path"].splitlines() if line.strip()]
    files = select(patterns, Path(os.environ["GITHUB_WORKSPACE"]), given["include-hidden-files"] == "true")
    if not files:
        missing(given)
        return
    content = packed(files, int(given["compression-level"]))
    run = f"{os.environ['GITHUB_REPOSITORY']}/{os.environ['GITHUB_RUN_ID']}"
    path = f"/_double/runs/{run}/artifacts?name={urllib.parse.quote(given['name'])}"
    number = api.ask("POST", path, "", content, "application/zip")["id"]
    api.put_out(artifact_id=number, artifact_digest=hashlib.sha256(content).hexdigest())


def missing(given: dict[str, str]) -> None:
    """As the workflow wants it: an error, a warning, nothing."""
    message = f"No files were found with the provided path: {given['path']}. No artifacts will be uploaded."
    if given["if-no-files-found"] == "error":
        api.fail(message)
    if given["if-no-files-found"] == "warn":
        print(f"::warning::{message}")


def packed(files: dict[str, Path], level: int) -> bytes:
    """The zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name, file in files.items():
            archive.write(file, name)
    return buffer.getvalue()


main()
