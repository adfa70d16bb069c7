"""Fingerprints of what a build depends on: the code that runs, the environment, and the key of the build itself."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from .base import digest_of, digest_of_bytes
from .families import FAMILIES
from .spec import ModelSpec

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "dagster_project"
ENTRIES = (f"{PACKAGE}/training/job.py", f"{PACKAGE}/data/splits.py")
HEADROOM = f"{PACKAGE}/training/headroom/examine.py"
"""Run only where the spec asks for it, so only there part of the build."""
FAMILY_FOLDER = f"{PACKAGE}/training/families"
# Types, errors and files carry no arithmetic; a family's entry in the catalogue is digested by itself.
OUTSIDE = (f"{PACKAGE}/domain/", f"{PACKAGE}/storage/")
# Looking for the words takes milliseconds where parsing every module takes a second.
_IMPORT = re.compile(rf"^\s*(?:from|import)\s+({PACKAGE}(?:\.\w+)+)(?:\s+import\s+(\([^)]*\)|[^\n#]*))?", re.MULTILINE)
_WORD = re.compile(r"\w+")

Source = Callable[[str], bytes | None]


def installed_source(path: str) -> bytes | None:
    """A file of the code that runs, by its path from the repository's root; None where there is none."""
    file = ROOT / path
    return file.read_bytes() if file.is_file() else None


def model_code(spec: ModelSpec, source: Source = installed_source) -> str:
    """Digest of the modules that a build of ``spec`` runs."""
    more = (HEADROOM,) if spec.headroom.on else ()
    return code_digest((candidate.family for candidate in spec.candidates), source, more)


def code_digest(families: Iterable[str], source: Source = installed_source, more: Iterable[str] = ()) -> str:
    """Digest of the modules that a build of ``families`` runs: those that training and splitting import, and ``more``.

    Gates, reports, other families and whatever else is not imported leave it as it is.
    """
    used = sorted(set(families))
    waiting = [*ENTRIES, *more, *(f"{FAMILY_FOLDER}/{name}.py" for name in used)]
    modules: dict[str, str] = {}
    while waiting:
        path = waiting.pop()
        data = None if path in modules or path.startswith(OUTSIDE) else source(path)
        if data is not None:
            modules[path] = digest_of_bytes(data)
            waiting += _imports(data)
    catalogue = {name: FAMILIES[name].content_digest() for name in used if name in FAMILIES}
    return digest_of({"modules": modules, "families": catalogue})


def _imports(data: bytes) -> Iterator[str]:
    """Paths of our own modules that a module may import anywhere, functions included; a few too many do no harm."""
    for module, names in _IMPORT.findall(data.decode("utf-8")):
        for name in (module, *(f"{module}.{name}" for name in _WORD.findall(names))):
            path = name.replace(".", "/")
            yield f"{path}.py"
            yield f"{path}/__init__.py"


@cache
def environment_digest(constraints: Path = ROOT / "constraints.txt") -> str:
    """Digest of the exact versions: of the constraints file beside the package, else of what is installed."""
    return digest_of(versions(constraints))


def versions(constraints: Path) -> list[str]:
    """The lines of a constraints file without its comments, else what is installed; each once, sorted."""
    if constraints.is_file():
        lines = (line.split("#")[0].strip() for line in constraints.read_text(encoding="utf-8").splitlines())
        return sorted({line for line in lines if line})
    return sorted({f"{item.metadata['Name'].lower()}=={item.version}" for item in metadata.distributions()})


def build_key(spec: ModelSpec, snapshot_digest: str, code: str, environment: str) -> str:
    """Name of a build: equal keys mean equal bytes, so the build need not run again."""
    return digest_of(
        {"training": spec.training_part(), "snapshot": snapshot_digest, "code": code, "environment": environment}
    )


class Keys(NamedTuple):
    """What a model's build depends on."""

    build: str
    code: str
    environment: str


def keys_of(spec: ModelSpec, snapshot_digest: str) -> Keys:
    """The build key of ``spec`` over a snapshot, with the digests of code and environment that went into it."""
    code = model_code(spec)
    environment = environment_digest()
    return Keys(build_key(spec, snapshot_digest, code, environment), code, environment)
