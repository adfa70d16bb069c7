"""What moved in a column, in words and as shares of bins for a picture."""

from itertools import pairwise
from typing import TYPE_CHECKING

from dagster_project.domain.drift import ColumnDrift
from dagster_project.domain.monitoring import DriftCheck

if TYPE_CHECKING:
    import numpy as np

BINS, MOST_BINS = 12, 12
OTHERS = "others"


def described(
    name: str, check: DriftCheck, score: float, threshold: float, reference: "np.ndarray", window: "np.ndarray"
) -> ColumnDrift:
    """The column's row of the report; bins and words only where it drifted."""
    sides = (_known(reference), _known(window))
    found = ColumnDrift(
        name=name, check=check, score=score, threshold=threshold, rows=len(sides[1]), reference_rows=len(sides[0])
    )
    if not found.drifted:
        return found
    numbers = sides[0].dtype.kind == "f"
    bins, shares = _histograms(*sides) if numbers else _shares(*sides)
    what = _numbers(*sides) if numbers else _moved(bins, shares)
    parts = [tuple(round(float(share), 5) for share in side) for side in shares]
    return found.model_copy(update={"what": what, "bins": bins, "reference": parts[0], "window": parts[1]})


def _known(column: "np.ndarray") -> "np.ndarray":
    import numpy as np

    return column[~np.isnan(column)] if column.dtype.kind == "f" else column[[value is not None for value in column]]


def _numbers(reference: "np.ndarray", window: "np.ndarray") -> str:
    return f"Its mean went from {reference.mean():.4g} to {window.mean():.4g}."


def _moved(bins: tuple[str, ...], shares: "list[np.ndarray]") -> str:
    """The categories whose shares moved most."""
    moved = sorted(zip(bins, *shares, strict=True), key=lambda each: -abs(each[1] - each[2]))[:3]
    return "; ".join(f"{name} went from {before:.1%} to {after:.1%}" for name, before, after in moved) + "."


def _histograms(reference: "np.ndarray", window: "np.ndarray") -> "tuple[tuple[str, ...], list[np.ndarray]]":
    """Ranges with about equally many reference values; the outer ones are open."""
    import numpy as np

    edges = np.unique(np.quantile(reference, np.linspace(0, 1, BINS + 1)))
    inner = edges[1:-1]
    names = [f"below {inner[0]:.4g}"] if len(inner) else ["all"]
    names += [f"{low:.4g} to {high:.4g}" for low, high in pairwise(inner)]
    names += [f"{inner[-1]:.4g} and more"] if len(inner) else []
    counts = [
        np.bincount(np.searchsorted(inner, side, side="right"), minlength=len(names)) for side in (reference, window)
    ]
    return tuple(names), [count / max(1, count.sum()) for count in counts]


def _shares(reference: "np.ndarray", window: "np.ndarray") -> "tuple[tuple[str, ...], list[np.ndarray]]":
    """The most frequent categories of both together, and all others as one."""
    import numpy as np

    names, counts = np.unique(np.concatenate([reference, window]).astype(str), return_counts=True)
    kept = names[np.argsort(-counts, kind="stable")[:MOST_BINS]].tolist()
    both = []
    for side in (reference, window):
        text = side.astype(str)
        known = np.array([(text == name).mean() if len(text) else 0.0 for name in kept])
        both.append(np.append(known, max(0.0, 1 - known.sum())) if len(names) > len(kept) else known)
    return tuple([*kept, OTHERS] if len(names) > len(kept) else kept), both
