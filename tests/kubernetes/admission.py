"""What may be stored: KubeRay's schemas, strict, and the names and labels that Kubernetes takes. Pure."""

import re
from typing import Any

from tests import strict
from tests.kubernetes.refusals import Refusal

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_KEY = re.compile(r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
CHECKED = ("RayJob", "RayCluster")


def admit(kind: str, manifest: dict[str, Any]) -> None:
    """Let a manifest in. Where KubeRay's schemas are not there, names and labels alone are looked at.

    Raises:
        Refusal: 400 for a field that nobody knows, as strict field validation says it; 422 for a value.
    """
    errors = list(strict.validator(kind).iter_errors(manifest)) if strict.THERE and kind in CHECKED else []
    unknown = [f"{error.json_path}: {error.message}" for error in errors if error.validator == "additionalProperties"]
    wrong = [f"{error.json_path}: {error.message}" for error in errors if error.validator != "additionalProperties"]
    if unknown:
        raise Refusal(400, "BadRequest", f"{kind}: strict decoding error: {'; '.join(unknown)}", tuple(unknown))
    wrong += _metadata(manifest.get("metadata") or {})
    if wrong:
        name = (manifest.get("metadata") or {}).get("name", "")
        raise Refusal(422, "Invalid", f'{kind} "{name}" is invalid: {"; ".join(wrong)}', tuple(wrong))


def _metadata(metadata: dict[str, Any]) -> list[str]:
    wrong = [] if _NAME.fullmatch(metadata.get("name", "")) else [f"metadata.name: {metadata.get('name')!r}"]
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    wrong += [f"metadata.labels: key {key!r}" for key in labels if not _KEY.fullmatch(key)]
    wrong += [
        f"metadata.labels[{key}]: {value!r}"
        for key, value in labels.items()
        if not isinstance(value, str) or not _VALUE.fullmatch(value)
    ]
    wrong += [f"metadata.annotations: key {key!r}" for key in annotations if not _KEY.fullmatch(key.lower())]
    return wrong + [
        f"metadata.annotations[{key}]: no text" for key, value in annotations.items() if type(value) is not str
    ]
