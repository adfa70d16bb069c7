"""The code that a lease runs, as an archive: the same files give the same bytes, and nothing else is in it."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from dagster_project.domain.errors import UsageError
from dagster_project.domain.fingerprint import PACKAGE, ROOT, versions

CONSTRAINTS = "constraints.txt"
KINDS = frozenset({".py", ".html", ".yaml", ".md", ".css", ".j2", ".sql", ".json"})
"""What the package is made of, as in pyproject.toml."""
EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that the format knows
PLAIN = 0o100644 << 16
UNIX = 3


def code_archive(root: Path = ROOT) -> bytes:
    """The package below ``root`` and the versions it runs with, as a zip that Ray takes as a working directory.

    ``root`` is a checkout, or the folder that the package is installed in: there are no constraints then, and what is
    installed stands for them. Nothing is compressed: bytes would depend on the library that does it.

    Raises:
        UsageError: there is no package, or a link in it, which may lead anywhere.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        # Ray takes the folder away where there is but one at the top; this file keeps it from doing so.
        archive.writestr(_entry(CONSTRAINTS), _constraints(root))
        for path in _files(root / PACKAGE):
            archive.writestr(_entry(path.relative_to(root).as_posix()), path.read_bytes())
    return buffer.getvalue()


def _files(package: Path) -> Iterator[Path]:
    if not package.joinpath("__init__.py").is_file():
        raise UsageError(f"{package}: there is no package whose code a lease could run.")
    for path in sorted(package.rglob("*"), key=Path.as_posix):
        if path.is_symlink():
            raise UsageError(f"{path}: a link; code that runs elsewhere has none. Put the file there, or remove it.")
        hidden = any(part.startswith((".", "__pycache__")) for part in path.relative_to(package).parts)
        if path.suffix in KINDS and path.is_file() and not hidden:
            yield path


def _constraints(root: Path) -> bytes:
    file = root / CONSTRAINTS
    if file.is_symlink():
        raise UsageError(f"{file}: a link; code that runs elsewhere has none. Put the file there, or remove it.")
    return file.read_bytes() if file.is_file() else "".join(f"{line}\n" for line in versions(file)).encode()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.external_attr, entry.create_system = PLAIN, UNIX
    return entry
