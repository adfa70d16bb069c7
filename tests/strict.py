"""KubeRay's schemas, strict as an API server that refuses what it does not know."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

SCHEMAS = Path(os.environ.get("ACTS_KUBERAY_SCHEMAS") or Path(__file__).resolve().parents[2] / "shared" / "kuberay")


def validator(kind: str) -> Draft202012Validator:
    """KubeRay 1.7's schema of ``kind``; the test is skipped, in plain words, where there is none."""
    file = SCHEMAS / f"{kind.lower()}.v1.schema.json"
    if not file.exists():
        pytest.skip(f"not checked: KubeRay's {file.name} is not there; ACTS_KUBERAY_SCHEMAS names its folder")
    return Draft202012Validator(closed(json.loads(file.read_text())))


def problems(kind: str, manifest: dict[str, Any]) -> list[str]:
    """What the schema has against a manifest: where, and why."""
    return [f"{error.json_path}: {error.message}" for error in validator(kind).iter_errors(manifest)]


def closed(node: Any) -> Any:
    """The schema with every object that has properties closed."""
    if isinstance(node, list):
        return [closed(each) for each in node]
    if not isinstance(node, dict):
        return node
    made = {key: closed(value) for key, value in node.items()}
    if isinstance(node.get("properties"), dict) and node.get("type") == "object":
        made.setdefault("additionalProperties", False)
    return made
