"""Leaving out each source: the candidate without its columns, on the same rows."""

from typing import TYPE_CHECKING

from dagster_project.domain.headroom_report import Interval, SourceLoss, SourceLosses
from dagster_project.training.headroom.asked import WHOLE, Asked
from dagster_project.training.headroom.fits import Fitted, Job

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

LEVEL = 0.025  # on each side
NOTHING_ELSE = "Every feature comes from it."
UNKNOWN = "The dataset is not derived by SQL from others, and headroom.groups names no columns."


def source_jobs(asked: Asked) -> list[Job]:
    """One for each source that has features and leaves some."""
    return [Job(_name(source), without=frozenset(columns)) for source, columns in _left_out(asked).items()]


def source_losses(asked: Asked, found: "Mapping[str, Fitted]") -> SourceLosses:
    """Each source with its loss, the dearest first; those whose loss is not known last."""
    sources = _features(asked)
    if not sources:
        return SourceLosses(absent=UNKNOWN)
    left_out = _left_out(asked)
    losses = [
        _loss(asked, source, columns, found[WHOLE], found[_name(source)])
        if source in left_out
        else SourceLoss(name=source, columns=columns, absent=NOTHING_ELSE)
        for source, columns in sources.items()
    ]
    losses.sort(key=lambda loss: (loss.loss is None, -loss.loss.value if loss.loss else 0.0, loss.name))
    told = {column for columns in sources.values() for column in columns}
    untold = () if asked.spec.headroom.groups else tuple(n for n in asked.spec.features.names if n not in told)
    return SourceLosses(sources=tuple(losses), untold=untold)


def _features(asked: Asked) -> dict[str, tuple[str, ...]]:
    names = set(asked.spec.features.names)
    kept = {source: tuple(c for c in columns if c in names) for source, columns in asked.request.sources.items()}
    return {source: columns for source, columns in kept.items() if columns}


def _left_out(asked: Asked) -> dict[str, tuple[str, ...]]:
    every = set(asked.spec.features.names)
    return {source: columns for source, columns in _features(asked).items() if every - set(columns)}


def _name(source: str) -> str:
    return f"without {source}"


def _loss(asked: Asked, source: str, columns: tuple[str, ...], whole: Fitted, without: Fitted) -> SourceLoss:
    loss, absent = None, whole.absent or without.absent
    if whole.answers is not None and without.answers is not None:
        loss = paired(asked, whole.answers, without.answers)
        absent = "" if loss else f"{asked.spec.search.metric} means nothing on the validation rows."
    return SourceLoss(name=source, columns=columns, loss=loss, seconds=round(without.seconds, 3), absent=absent)


def paired(asked: Asked, whole: "np.ndarray", without: "np.ndarray") -> Interval | None:
    """The metric with the columns less the metric without, on the same validation rows, positive where they help.

    The upper limit is as far away as the lower, which is the careful one that a gate would read.
    """
    from dagster_project.evaluation.comparison import compare
    from dagster_project.evaluation.metrics import defined

    spec, labels = asked.spec, asked.labels
    if not defined(spec.search.metric, spec.task, labels):
        return None
    gain = compare(
        spec.search.metric,
        asked.answers(whole),
        asked.answers(without),
        labels,
        rows="validation",
        significance=LEVEL,
        positive=spec.positive,
        seed=spec.search.seed,
    )
    return Interval(value=gain.gain, low=gain.low, high=2 * gain.gain - gain.low)
