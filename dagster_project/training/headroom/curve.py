"""The learning curve: the candidate on growing, nested shares of the train rows, and what twice the rows would give."""

from typing import TYPE_CHECKING, Literal

from dagster_project.domain.headroom_report import CurvePoint, Interval, LearningCurve
from dagster_project.domain.metrics import METRICS
from dagster_project.domain.spec import TimeSplit
from dagster_project.training.headroom.asked import WHOLE, Asked
from dagster_project.training.headroom.fits import Fitted, Job
from dagster_project.training.headroom.power_law import FEWEST, doubled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

FEWEST_ROWS = 30


def curve_jobs(asked: Asked) -> list[Job]:
    """One for each share, all rows left out: that job is everybody's. The largest first."""
    return [Job(_name(rows), taken_rows(asked, rows)) for rows in reversed(_sizes(asked)[:-1])]


def learning_curve(asked: Asked, found: "Mapping[str, Fitted]") -> LearningCurve:
    """The points, and the gain from twice the rows where they tell."""
    sizes = _sizes(asked)
    fits = [found[WHOLE if rows == len(asked.data.train) else _name(rows)] for rows in sizes]
    points = tuple(_point(asked, rows, fit) for rows, fit in zip(sizes, fits, strict=True))
    curve = LearningCurve(taken=_how(asked), points=points)
    known = [
        (rows, fit.answers)
        for rows, fit, point in zip(sizes, fits, points, strict=True)
        if point.metric and fit.answers is not None
    ]
    if len(known) < FEWEST or not points[-1].metric:
        why = next((point.absent for point in reversed(points) if point.absent), "")
        absent = f"A curve needs {FEWEST} points, all rows among them; there are {len(known)}. {why}".strip()
        return curve.model_copy(update={"absent": absent[:400]})
    whole = points[-1].metric
    values, covariance = _values(asked, [answers for _, answers in known])
    gain = doubled([rows for rows, _ in known], values, covariance, asked.spec.search.seed)
    return curve.model_copy(update={"doubled": gain, "negligible": _negligible(asked, whole)})


def taken_rows(asked: Asked, rows: int) -> "np.ndarray":
    """(rows,) places of a nested share: split by time the most recent, else drawn. In the file's order."""
    import numpy as np

    every = len(asked.data.train)
    if _how(asked) == "most recent":
        return np.arange(every - rows, every)
    order = np.random.Generator(np.random.PCG64(asked.spec.search.seed)).permutation(every)
    return np.sort(order[:rows])


def _how(asked: Asked) -> Literal["most recent", "drawn"]:
    return "most recent" if isinstance(asked.spec.split, TimeSplit) else "drawn"


def _sizes(asked: Asked) -> list[int]:
    """Rows of each share, ascending, none twice and none so small that nothing can be learnt."""
    every = len(asked.data.train)
    sizes = {round(share * every) for share in asked.spec.headroom.rows}
    return sorted({every} | {size for size in sizes if size >= FEWEST_ROWS})


def _name(rows: int) -> str:
    return f"{rows} rows"


def _point(asked: Asked, rows: int, fit: Fitted) -> CurvePoint:
    metric = None if fit.answers is None else asked.measured(fit.answers)
    absent = fit.absent if fit.answers is None or metric else f"{asked.spec.search.metric} means nothing on these rows."
    return CurvePoint(rows=rows, metric=metric, seconds=round(fit.seconds, 3), absent=absent)


def _negligible(asked: Asked, whole: Interval) -> float:
    """A hundredth of what is missing to a perfect answer, unless the validation rows can't show even that."""
    missing = abs(METRICS[asked.spec.search.metric].best - whole.value)
    return max(0.01 * missing, 0.025 * (whole.high - whole.low))


def _values(asked: Asked, answers: "Sequence[np.ndarray]") -> "tuple[np.ndarray, np.ndarray]":
    """The metric of each fit, greater is better, and the covariance that the shared validation rows give them."""
    import numpy as np

    from dagster_project.evaluation.auc import placements
    from dagster_project.evaluation.metrics import positive_scores, statistic

    metric, labels, positive = asked.spec.search.metric, asked.labels, asked.spec.positive
    given = [asked.answers(numbers) for numbers in answers]
    if metric == "roc_auc":
        pairs = [positive_scores(one, labels, positive) for one in given]
        areas = placements(np.stack([scores for scores, _ in pairs]), pairs[0][1])
        return areas.areas, areas.covariance()
    sign = 1.0 if METRICS[metric].greater_is_better else -1.0
    measured = [statistic(metric, one, labels, positive) for one in given]
    influence = np.stack([one.influence() for one in measured]) / len(labels)
    return sign * np.array([one.value() for one in measured]), influence @ influence.T
