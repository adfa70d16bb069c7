"""What the manifests of a RayService and of a RayJob have in common, for KubeRay 1.7; and how they are written down."""

import hashlib
import re
from typing import Any

import yaml

RAY_VERSION = "2.60.0"
PART_OF = "threeacts"
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")


def resources(cpus: str, memory: str, gpus: int = 0) -> dict[str, Any]:
    """Requests and limits that are equal, so that nobody's pod takes what another counts on."""
    amounts: dict[str, str | int] = {"cpu": cpus, "memory": memory}
    if gpus:
        amounts["nvidia.com/gpu"] = gpus
    return {"requests": amounts, "limits": dict(amounts)}


def unprivileged(*, read_only: bool = False) -> dict[str, Any]:
    """A container's security context; ``read_only`` where it writes into mounted volumes alone."""
    secure: dict[str, Any] = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    return {**secure, "readOnlyRootFilesystem": True} if read_only else secure


def pod_security(user: int) -> dict[str, Any]:
    """A pod's security context: ``user`` is the id of the image's user, and of the group that may write to volumes."""
    return {
        "runAsNonRoot": True,
        "runAsUser": user,
        "fsGroup": user,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def variables(values: dict[str, str]) -> list[dict[str, str]]:
    """A container's environment."""
    return [{"name": name, "value": value} for name, value in values.items()]


def label_value(text: str) -> str:
    """``text`` where a label may have that value, else as much of it as fits, and a digest."""
    if _LABEL_VALUE.fullmatch(text):
        return text
    kept = re.sub(r"[^A-Za-z0-9_.-]", "-", text)[:50].strip("-_.")
    return f"{kept}-{hashlib.sha256(text.encode()).hexdigest()[:10]}".lstrip("-")


def render(*manifests: dict[str, Any]) -> str:
    """YAML for ``kubectl apply``, one document each; text of several lines as lines that a person can read."""
    return yaml.dump_all(manifests, Dumper=_Readable, sort_keys=False, width=120)


class _Readable(yaml.SafeDumper):
    """Text of several lines as a literal block; no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        """A value that is used twice is written twice."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Readable.add_representer(str, _text)
