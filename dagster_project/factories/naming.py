"""Names that Dagster accepts, made from the names in the YAML."""

import re

from dagster_project.domain.contract import DataContract
from dagster_project.domain.spec import ModelSpec

SOURCES, DATASETS = "sources", "datasets"
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def owner(name: str) -> str:
    """An e-mail address as it is, anything else as a team: Dagster knows no third kind."""
    return name if _EMAIL.fullmatch(name) or name.startswith("team:") else f"team:{name}"


def identifier(name: str) -> str:
    """``name`` in letters, digits and underscores: ``arrival delay >= 0`` becomes ``arrival_delay_0``."""
    return re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_").lower() or "unnamed"


def unique_identifiers(names: list[str]) -> dict[str, str]:
    """Each name with an identifier that no other name has."""
    taken: dict[str, str] = {}
    for name in names:
        wanted, number = identifier(name), 1
        while (candidate := wanted if number == 1 else f"{wanted}_{number}") in taken.values():
            number += 1
        taken[name] = candidate
    return taken


def group_of(contract: DataContract) -> str:
    """Sources come from outside, datasets are derived from them."""
    return DATASETS if contract.derivation else SOURCES


def referred(contract: DataContract) -> tuple[str, ...]:
    """Datasets that the contract's relationships point into; they have to be there first."""
    found = {str(rule.arguments["dataset"]) for rule in contract.rules if rule.kind == "relationship"}
    return tuple(sorted(found - {contract.name}))


def kinds_of(contract: DataContract) -> set[str]:
    """What the UI shows as icons: where a source lies, or how a dataset is derived."""
    if contract.derivation:
        return {"sql", "duckdb", "deltalake"}
    server = contract.servers[0] if contract.servers else None
    return {str((server.options.get("format") or server.type) if server else "table"), "deltalake"}


def model_kinds(spec: ModelSpec) -> set[str]:
    """Icons of what trains: torch shows when a network is among the families."""
    networks = any(candidate.family == "mlp" for candidate in spec.candidates)
    return {"onnx", "ray", "pytorch" if networks else "scikitlearn"}


def build_job(kind: str, name: str) -> str:
    """The job that builds a dataset or a model with everything before it."""
    return f"build_{kind}_{name}"
