"""What the documents say is there: links lead somewhere, commands exist, examples pass ``acts check``."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from ci.main import COMMANDS
from dagster_project.domain.additions import ColumnAdditions, ContractAdditions, ServerAdditions
from dagster_project.domain.contract import Role
from dagster_project.domain.families import FAMILIES
from dagster_project.domain.gates import Gate
from dagster_project.domain.loading import load_repository
from dagster_project.domain.metrics import METRICS
from dagster_project.domain.server_lint import SERVER_TYPES
from dagster_project.domain.spec import ModelSpec
from dagster_project.domain.yamlfile import load_yaml
from tests.trees import MemoryTree

ROOT = Path(__file__).parents[1]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")), ROOT / "tests" / "README.md"]
SPEC = "models/late_arrival/spec.yaml"
_BLOCK = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_COMMAND = re.compile(r"(?:`|\$ |=\w+ )acts ([a-z]\w*)")


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return [body for kind, body in _BLOCK.findall(text) if kind == language]


def anchors(text: str) -> set[str]:
    """The headings as GitHub links them."""
    headings = re.findall(r"^#+ (.+)$", _BLOCK.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document: Path) -> None:
    for link in _LINK.findall(_BLOCK.sub("", document.read_text(encoding="utf-8"))):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        assert target.exists(), f"{document.name}: {link}"
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), f"{document.name}: {link}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_commands_exist(document: Path) -> None:
    named = set(_COMMAND.findall(document.read_text(encoding="utf-8")))
    assert named <= COMMANDS.keys()


def test_every_command_is_told() -> None:
    told = " ".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)
    targets = {"demo": "make demo", "ui": "make ui"}
    assert [name for name in COMMANDS if targets.get(name, f"acts {name}") not in told] == []


def merged(base: Any, part: Any) -> Any:
    """``part`` laid over ``base``: keys replace, entries of a list that have a name replace those of that name."""
    if isinstance(base, dict) and isinstance(part, dict):
        return {**base, **{key: merged(base.get(key), value) for key, value in part.items()}}
    if isinstance(base, list) and isinstance(part, list) and base and all("name" in e for e in (*base, *part)):
        old, new = ({entry["name"]: entry for entry in entries} for entries in (base, part))
        return [merged(old.get(name), new.get(name, old.get(name))) for name in {**old, **new}]
    return part


def contract_examples() -> Iterator[dict[str, str]]:
    """The whole contracts of the guide, then each part of a contract laid over the first of them."""
    guide = text_of("docs/contracts.md")
    found = [load_yaml(block, "docs/contracts.md").value for block in blocks(guide, "yaml")]
    whole = {f"data_contracts/{value['name']}.yaml": value for value in found if "apiVersion" in value}
    derived = [path for path, value in whole.items() if "threeacts.derived_from" in str(value)]
    queries = dict(zip((path.replace(".yaml", ".sql") for path in derived), blocks(guide, "sql"), strict=True))
    first = next(iter(whole))
    for part in ({}, *(value for value in found if "apiVersion" not in value)):
        files = {**whole, first: merged(whole[first], part)}
        yield queries | {path: yaml.safe_dump(value, sort_keys=False) for path, value in files.items()}


def test_contracts_of_the_guide_pass_the_check() -> None:
    examples = list(contract_examples())
    assert len(examples) > 1
    for files in examples:
        load_repository(MemoryTree(files))


def test_parts_of_specs_in_the_guide_pass_the_check() -> None:
    """Each is laid over a spec of this repository, with the contracts and the floor that it has."""
    own = {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for folder in ("data_contracts", "models")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".yaml", ".sql")
    }
    parts = [load_yaml(block, "docs/specs.md").value for block in blocks(text_of("docs/specs.md"), "yaml")]
    assert {"gates", "split", "candidates"} <= {key for part in parts for key in part}
    for part in parts:
        spec = {**yaml.safe_load(own[SPEC]), **part}
        load_repository(MemoryTree({**own, SPEC: yaml.safe_dump(spec, sort_keys=False)}))


def gate_models() -> tuple[type, ...]:
    union = get_args(Gate)[0]
    return get_args(union)


def words_of_specs() -> list[str]:
    kinds = [get_args(model.model_fields["kind"].annotation)[0] for model in gate_models()]
    return [*ModelSpec.model_fields, *kinds, *FAMILIES, *METRICS, *{p for f in FAMILIES.values() for p in f.space}]


def words_of_contracts() -> list[str]:
    additions = (ColumnAdditions, ContractAdditions, ServerAdditions)
    named = [f"threeacts.{name}" for model in additions for name in model.model_fields]
    return [*named, *Role, *(kind for kind in SERVER_TYPES if kind != "postgresql")]


@pytest.mark.parametrize(
    ("document", "words"), [("docs/specs.md", words_of_specs()), ("docs/contracts.md", words_of_contracts())]
)
def test_nothing_is_left_out(document: str, words: list[str]) -> None:
    text = text_of(document)
    assert [word for word in words if not re.search(rf"\b{re.escape(word)}\b", text)] == []
