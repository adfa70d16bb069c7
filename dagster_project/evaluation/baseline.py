"""The answers of somebody who knows next to nothing: a model that is no better has learnt nothing.

What the train labels are on the whole; of a series, what was a season ago; of images, what a logistic or ridge
regression makes of a few grey fields. A search has them among its trials, and whoever judges makes them once more.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from dagster_project.data.images import grey_fields
from dagster_project.domain.bundle import Input
from dagster_project.domain.families import Task
from dagster_project.domain.measured import BASELINE
from dagster_project.domain.seasons import season_lag
from dagster_project.domain.verdict import Measurement
from dagster_project.inference.predictor import Answers, encode

from .comparison import compare

if TYPE_CHECKING:
    import numpy as np

    Columns = Mapping[str, np.ndarray]

SIGNIFICANCE = 0.01
"""Of models that have learnt nothing so many may pass."""
PRIOR, SEASONAL, POOLED = "the train labels' mean or shares", "a season ago", "a linear model of a few grey fields"
FITTED_ROWS = 10_000


def baselines(
    like: Answers,
    inputs: Iterable[Input],
    train: "tuple[Columns, np.ndarray]",
    validation: "Columns",
    ahead: tuple[int, int] = (0, 1),
) -> dict[str, Answers]:
    """The answers to the ``validation`` rows of every baseline there is for inputs of these kinds, by its name.

    ``train``: columns (n, width) and labels (n,). ``ahead``: steps of a series to the target, and of a season.
    """
    columns, labels = train
    rows = len(next(iter(validation.values())))
    found = {PRIOR: prior(like, labels, rows)}
    series = [item for item in inputs if item.modality == "series"]
    if series and like.codes is None:
        found[SEASONAL] = seasonal(validation[series[0].name], labels, *ahead)
    images = [item for item in inputs if item.modality == "image"]
    if images:
        name = images[0].name
        found[POOLED] = pooled(like, images[0].shape, columns[name], labels, validation[name])
    return found


def prior(like: Answers, train: "np.ndarray", rows: int) -> Answers:
    """To every one of ``rows`` rows the share of each class among the ``train`` labels (n,), or their mean."""
    import numpy as np

    if like.codes is None:
        return Answers(values=np.full(rows, np.asarray(train, np.float64).mean()))
    codes = encode(train, like.classes)
    shares = np.bincount(codes[codes >= 0], minlength=len(like.classes)) / max(1, (codes >= 0).sum())
    return Answers(
        classes=like.classes, codes=np.full(rows, shares.argmax(), np.int64), scores=np.tile(shares, (rows, 1))
    )


def seasonal(windows: "np.ndarray", train: "np.ndarray", horizon: int, season: int) -> Answers:
    """What each window (n, steps) says was a season before its target; the train labels' mean where it says nothing."""
    import numpy as np

    said = windows[:, season_lag(windows.shape[1], season, horizon)].astype(np.float64)
    return Answers(values=np.where(np.isnan(said), np.asarray(train, np.float64).mean(), said))


def pooled(
    like: Answers, shape: tuple[int, ...], train: "np.ndarray", labels: "np.ndarray", validation: "np.ndarray"
) -> Answers:
    """A logistic or ridge regression over the grey fields, fitted to at most ``FITTED_ROWS`` train rows, evenly
    picked.

    One thread does every sum: threads that wait for one another take minutes where other programs want the cores.
    """
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    step = max(1, len(train) // FITTED_ROWS)
    known, seen = grey_fields(train[::step], shape), grey_fields(validation, shape)
    if like.codes is None:
        with threadpool_limits(1):
            fitted = make_pipeline(StandardScaler(), Ridge()).fit(known, labels[::step])
        return Answers(values=fitted.predict(seen))
    codes = encode(labels[::step], like.classes)
    if len(set(codes[codes >= 0].tolist())) < 2:
        return prior(like, labels, len(validation))
    labelled = codes >= 0
    with threadpool_limits(1):
        fitted = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
        fitted.fit(known[labelled], codes[labelled])
    return _answers(like, fitted.predict_proba(seen), fitted[-1].classes_)


def _answers(like: Answers, chances: "np.ndarray", classes: "np.ndarray") -> Answers:
    import numpy as np

    scores = np.zeros((len(chances), len(like.classes)))
    scores[:, classes] = chances
    return Answers(classes=like.classes, codes=scores.argmax(axis=1), scores=scores)


def baseline_gain(
    answers: Answers, told: Answers, labels: "np.ndarray", task: Task, name: str, seed: int = 0
) -> Measurement:
    """How much less the model loses on the validation ``labels`` (n,) than a baseline, paired by row.

    In log loss, or in root mean squared error; the gain is below ``low`` in 1 of 100 only.
    """
    metric = "rmse" if task == "regression" else "log_loss"
    found = compare(metric, answers, told, labels, rows="validation", significance=SIGNIFICANCE, seed=seed)
    return Measurement(
        metric=BASELINE, rows="validation", value=found.gain, low=found.low,
        high=found.gain + (found.gain - found.low), confidence=1 - 2 * SIGNIFICANCE, count=found.count,
        against=name, method=f"{metric}, {found.method}",
    )  # fmt: skip
