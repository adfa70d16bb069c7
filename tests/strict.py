"""KubeRay's schemas, strict as an API server that refuses what it does not know."""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

KINDS = ("RayJob", "RayCluster", "RayService")
SCHEMAS = Path(os.environ.get("ACTS_KUBERAY_SCHEMAS") or Path(__file__).resolve().parents[2] / "shared" / "kuberay")


THERE = all((SCHEMAS / f"{kind.lower()}.v1.schema.json").exists() for kind in KINDS)
WORDS = "not checked: KubeRay's schemas are not there; ACTS_KUBERAY_SCHEMAS names their folder"


@cache
def validator(kind: str) -> Draft202012Validator:
    """KubeRay 1.7's schema of ``kind``."""
    return Draft202012Validator(closed(json.loads((SCHEMAS / f"{kind.lower()}.v1.schema.json").read_text())))


def needed() -> None:
    """Skip the test, in plain words, where there are no schemas."""
    if not THERE:
        pytest.skip(WORDS)


def problems(kind: str, manifest: dict[str, Any]) -> list[str]:
    """What the schema has against a manifest: where, and why. Without schemas the test is skipped."""
    needed()
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
