"""Rows planted where conversions break: missing values, unseen and non-ASCII text, values at tree thresholds."""

from typing import TYPE_CHECKING

from dagster_project.domain.bundle import Input
from dagster_project.training.parity import take

if TYPE_CHECKING:
    import numpy as np

    from dagster_project.training.parity import Columns

BASE_ROWS = 8
MAX_THRESHOLDS = 256
UNSEEN = "\x01 never seen \x7f"
_SHADES: dict[str, tuple[float, ...]] = {"image": (0.0, 255.0), "text": (), "series": (), "tabular": ()}
NON_ASCII = ("München", "日本語", "naïve café’s", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 🛫")


def plant(rows: "Columns", inputs: tuple[Input, ...], thresholds: "dict[str, np.ndarray]") -> "dict[str, Columns]":
    """Planted rows by kind, made from the first of ``rows``; a kind that the columns leave empty is left out."""
    base = take(rows, slice(0, BASE_ROWS))
    text = [item.name for item in inputs if item.dtype == "string"]
    missing = {item.name: "" if item.dtype == "string" else float("nan") for item in inputs}
    batches = {
        "missing": [*(_with(base, {name: value}) for name, value in missing.items()), _with(base, missing)],
        "unseen_category": [_with(base, {name: UNSEEN}) for name in text],
        "non_ascii": [_with(base, {name: word}) for name in text for word in NON_ASCII],
        "extreme_image": [_with(base, {item.name: shade}) for item in inputs for shade in _SHADES[item.modality]],
        "threshold": [_at(rows, name, values) for name, values in sorted(thresholds.items())],
    }
    return {kind: join(parts) for kind, parts in batches.items() if parts}


def thresholds_of(model: bytes, origins: list[str]) -> "dict[str, np.ndarray]":
    """Values at which the graph's trees split, by raw column, each with its float32 neighbours.

    ``origins`` names the raw column behind each column that the trees see.
    """
    import numpy as np
    import onnx

    found: dict[str, set[float]] = {}
    for node in onnx.load_from_string(model).graph.node:
        if not node.op_type.startswith("TreeEnsemble"):
            continue
        attributes = {item.name: item for item in node.attribute}
        modes = attributes["nodes_modes"].strings
        places, values = attributes["nodes_featureids"].ints, attributes["nodes_values"].floats
        for mode, place, value in zip(modes, places, values, strict=True):
            if mode != b"LEAF":
                found.setdefault(origins[place], set()).add(value)
    return {name: neighbours(np.array(sorted(values), np.float32)) for name, values in found.items()}


def neighbours(values: "np.ndarray") -> "np.ndarray":
    """Some of the values, evenly taken, each with the float32 before and after it."""
    import numpy as np

    step = max(1, len(values) // MAX_THRESHOLDS)
    some = values[::step]
    both = np.concatenate([np.nextafter(some, np.float32(-np.inf)), some, np.nextafter(some, np.float32(np.inf))])
    values = both.astype(np.float32)
    return values


def join(parts: "list[Columns]") -> "Columns":
    """Batches under each other."""
    import numpy as np

    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _with(base: "Columns", values: "dict[str, str | float]") -> "Columns":
    import numpy as np

    return {name: np.full_like(column, values[name]) if name in values else column for name, column in base.items()}


def _at(rows: "Columns", name: str, values: "np.ndarray") -> "Columns":
    """One row for each value, the other columns taken from the rows in turn."""
    import numpy as np

    count = len(next(iter(rows.values())))
    batch = take(rows, np.arange(len(values)) % count)
    width = rows[name].shape[1]
    return {**batch, name: np.repeat(values.reshape(-1, 1), width, axis=1)}
