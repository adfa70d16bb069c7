"""The image of a lease's pods: what it is made of is enough for the program that runs in it."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from dagster_project.compute.manifest import PROGRAM
from dagster_project.domain.compute import KubeRayProfile
from dagster_project.domain.fingerprint import FAMILY_FOLDER, PACKAGE, ROOT

FOLDER = ROOT / PACKAGE / "deployment"
DOCKERFILE = (FOLDER / "training.Dockerfile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OWN = "threeacts"


def module_file(name: str) -> Path | None:
    """The file of one of our modules."""
    path = ROOT / name.replace(".", "/")
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def imports(file: Path) -> Iterator[str]:
    """Modules that a file imports when it runs, within functions too; not what types alone need."""
    tree = ast.parse(file.read_text())
    typing = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in typing:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = file.relative_to(ROOT).parent.parts[: len(file.relative_to(ROOT).parts) - node.level]
                base = ".".join((*package, *([base] if base else [])))
            yield from (base, *(f"{base}.{alias.name}" for alias in node.names))


def reached(*entries: str) -> tuple[set[str], set[str]]:
    """Our modules that ``entries`` may import, and the others, by the first part of their names."""
    waiting, ours, others = list(entries), set(), set()
    while waiting:
        name = waiting.pop()
        if not name.startswith(PACKAGE):
            others.add(name.split(".")[0])
        elif name not in ours and (file := module_file(name)):
            ours.add(name)
            waiting += imports(file)
    return ours, others - set(sys.stdlib_module_names)


def closure(requirements: list[str]) -> set[str]:
    """Distributions that pip installs for ``requirements``, as what is installed here says."""
    waiting, seen = [(Requirement(text), "") for text in requirements], set()
    while waiting:
        wanted, extra = waiting.pop()
        if wanted.marker and not any(wanted.marker.evaluate({"extra": name}) for name in (extra, "")):
            continue
        for part in ("", *wanted.extras):
            key = (canonicalize_name(wanted.name), part)
            if key not in seen:
                seen.add(key)
                needs = metadata.distribution(wanted.name).requires or []
                waiting += [(Requirement(text), part) for text in needs]
    return {name for name, _ in seen}


def test_what_the_program_imports_is_in_the_image():
    families = (f"{PACKAGE}.training.families.{file.stem}" for file in (ROOT / FAMILY_FOLDER).glob("*.py"))
    ours, others = reached(PROGRAM, *families)  # families are imported by the names in a spec
    there = closure([*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["training"]])
    made_by = metadata.packages_distributions()
    lacking = {name for name in others if not {canonicalize_name(dist) for dist in made_by.get(name, [name])} & there}
    assert {f"{PACKAGE}.training.job", f"{PACKAGE}.training.families.mlp", f"{PACKAGE}.domain.build"} <= ours
    assert {"torch", "ray", "sklearn", "polars", "dagster_pipes"} <= others
    assert lacking == set()


def test_the_search_for_imports_sees_what_would_be_lacking():
    there = closure([*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["training"]])
    assert not {"deepchecks", "dagster", "duckdb", "kubernetes", "pytest"} & there
    assert "dagster" in reached(f"{PACKAGE}.factories.training_run")[1]


def test_ray_finds_its_way_to_s3_in_the_image():
    there = closure([*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["training"]])
    assert {"boto3", "smart-open"} <= there, "how Ray fetches a working directory (ray.io: runtime_env, s3://)"


def test_the_base_is_named_by_digest_and_the_user_is_the_profiles():
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert bases and all(re.fullmatch(r"\S+@sha256:[0-9a-f]{64}", base) for base in bases)
    assert re.findall(r"^USER (\d+)$", DOCKERFILE, re.MULTILINE) == [str(KubeRayProfile.model_fields["user"].default)]
    assert f"python:{sys.version_info[0]}.{sys.version_info[1]}-" in bases[0]


def test_torch_is_the_one_that_everything_else_installs():
    (version,) = set(re.findall(r"torch==([\w.]+)", DOCKERFILE))
    assert f"torch=={version}" in PROJECT["optional-dependencies"]["training"]
    assert re.search(rf"^torch=={re.escape(version)}\b", (ROOT / "constraints.txt").read_text(), re.MULTILINE)


def test_neither_our_code_nor_anything_else_of_the_folder_goes_into_the_image():
    copied = {word for line in re.findall(r"^COPY (.*) \./$", DOCKERFILE, re.MULTILINE) for word in line.split()}
    ignored = (FOLDER / "training.Dockerfile.dockerignore").read_text().split()
    assert DOCKERFILE.count("COPY") == 1 and "ADD" not in DOCKERFILE
    assert ignored[0] == "*" and {line.removeprefix("!") for line in ignored[1:]} == copied
    assert "pip uninstall -y threeacts" in DOCKERFILE and not any(PACKAGE in name for name in copied)


@pytest.mark.slow
def test_the_files_that_are_copied_are_enough_to_say_what_is_required(tmp_path):
    for name in ("pyproject.toml", "constraints.txt", "README.md"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", "made", "."]
    subprocess.run(command, cwd=tmp_path, check=True)
    (wheel,) = (tmp_path / "made").glob(f"{OWN}-*.whl")
    assert wheel.stat().st_size < 20_000
