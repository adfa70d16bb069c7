"""Labels that models fitted on other rows contradict: classes by confident learning, values by their residuals."""

from typing import TYPE_CHECKING

from dagster_project.domain.errors import MachineryError
from dagster_project.domain.headroom_report import MOST_ROWS, LabelNoise, SuspectRow
from dagster_project.domain.spec import GroupSplit, TimeSplit
from dagster_project.training.headroom.asked import Asked
from dagster_project.training.headroom.confident import confident_joint, floor, honest_share, margins
from dagster_project.training.headroom.fits import Fitted, Job
from dagster_project.training.headroom.residuals import standardised

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

FEWEST_ROWS = 200
MANY_ROWS = 20_000
UNNAMED = "The contract has no public id, or the target is not public, so no row is named."


def noise_jobs(asked: Asked) -> list[Job]:
    """One for each fold: answers to its rows by what all others taught."""
    import numpy as np

    folds = folds_of(asked)
    return [Job(_name(fold), np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)) for fold in np.unique(folds)]


def folds_of(asked: Asked) -> "np.ndarray":
    """(train rows,) the fold of each. Split by time, stretches of it; by group, whole groups; else drawn.

    Neighbours in time and rows of a group are alike: apart from their own kind, rows would vouch for themselves.
    """
    import numpy as np

    rows, split = len(asked.data.train), asked.spec.split
    many = 3 if rows >= MANY_ROWS else 5
    if isinstance(split, TimeSplit):
        return np.arange(rows) * many // max(rows, 1)
    units = _groups(asked, split.column) if isinstance(split, GroupSplit) else np.arange(rows)
    order = np.random.Generator(np.random.PCG64(asked.spec.search.seed)).permutation(units.max() + 1)
    return np.asarray(order[units] % many)


def label_noise(asked: Asked, found: "Mapping[str, Fitted]") -> LabelNoise:
    """What the labels look like from outside."""
    jobs = noise_jobs(asked)
    fits = [found[job.name] for job in jobs]
    seconds = round(sum(fit.seconds for fit in fits), 3)
    rows, target = len(asked.data.train), asked.data.train.target
    absent = next((fit.absent for fit in fits if fit.answers is None), "")
    if rows < FEWEST_ROWS:
        absent = f"{rows} train rows are too few: {FEWEST_ROWS} are needed."
    if absent:
        return LabelNoise(absent=absent, seconds=seconds)
    answers = _together(jobs, fits, rows)
    common = {"rows": rows, "folds": len(jobs), "seconds": seconds, "unlisted": _unlisted(asked)}
    if not asked.data.classes:
        return _values(asked, answers, target, common)
    return _classes(asked, answers, target, common)


def _classes(asked: Asked, scores: "np.ndarray", given: "np.ndarray", common: dict[str, object]) -> LabelNoise:
    import numpy as np

    joint, share, names = confident_joint(scores, given), floor(scores, given), asked.data.classes
    disagreement = float((scores.argmax(axis=1) != given).mean())
    suspected = share.low > 0 and share.value >= disagreement / 2
    margin = margins(scores, given)
    contradicted = np.flatnonzero((joint.expected >= 0) & (joint.expected != given) & (margin < 0))
    worst = contradicted[np.argsort(margin[contradicted], kind="stable")][:MOST_ROWS]
    return LabelNoise.model_validate(
        {
            **common,
            "kind": "classes",
            "disagreement": disagreement,
            "thresholds": {str(name): float(t) for name, t in zip(names, joint.thresholds, strict=True)},
            "joint": joint.counts.tolist(),
            "joint_share": joint.share,
            "expected_share": honest_share(scores, given, share.value if suspected else 0.0, asked.spec.search.seed),
            "share": share,
            "suspected": suspected,
            "suspects": _suspects(
                asked, worst, [names[given[i]] for i in worst], [names[joint.expected[i]] for i in worst], margin
            ),
        }
    )


def _values(asked: Asked, values: "np.ndarray", given: "np.ndarray", common: dict[str, object]) -> LabelNoise:
    import numpy as np

    z = standardised(values, given)
    worst = np.argsort(-np.abs(z), kind="stable")[:MOST_ROWS]
    suspects = _suspects(asked, worst, [float(given[i]) for i in worst], [float(values[i]) for i in worst], z)
    return LabelNoise.model_validate({**common, "kind": "residuals", "suspects": suspects})


def _suspects(
    asked: Asked, places: "np.ndarray", given: list[object], expected: list[object], margin: "np.ndarray"
) -> tuple[SuspectRow, ...]:
    """The rows by their public ids; none where the contract has no public one."""
    if _unlisted(asked) or not len(places):
        return ()
    names = _read(asked, asked.request.identifiers)
    return tuple(
        SuspectRow.model_validate(
            {
                "id": {n: _plain(names[n][place]) for n in names},
                "given": one,
                "expected": other,
                "margin": margin[place],
            }
        )
        for place, one, other in zip(places.tolist(), given, expected, strict=True)
    )


def _unlisted(asked: Asked) -> str:
    return "" if asked.request.identifiers else UNNAMED


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def _groups(asked: Asked, column: str) -> "np.ndarray":
    import numpy as np

    return np.unique([str(value) for value in _read(asked, (column,))[column]], return_inverse=True)[1]


def _read(asked: Asked, columns: tuple[str, ...]) -> dict[str, list[object]]:
    """Columns of the labelled train rows that are no features, in the rows' order."""
    import polars as pl

    uri, target = asked.request.split.train.uri, asked.spec.target
    try:
        frame = pl.scan_parquet(uri).filter(pl.col(target).is_not_null()).select(columns).collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise MachineryError(f"{uri}: the train rows can't be read: {error}. Build the split again.") from error
    return frame.to_dict(as_series=False)


def _name(fold: int) -> str:
    return f"fold {fold}"


def _together(jobs: list[Job], fits: list[Fitted], rows: int) -> "np.ndarray":
    """Out-of-fold answers in the order of the train rows."""
    import numpy as np

    first = fits[0].answers
    assert first is not None
    whole = np.empty((rows, *first.shape[1:]), np.float64)
    for job, fit in zip(jobs, fits, strict=True):
        whole[job.judged] = fit.answers
    return whole
