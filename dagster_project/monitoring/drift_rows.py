"""The two sides of a look at drift as columns alike: what the champion learned from, and a window of answers."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from dagster_project.domain.contract import Role
from dagster_project.domain.prediction import label_text
from dagster_project.domain.projection import project
from dagster_project.monitoring.champion import asked_again, lock_of, positive_scores, rows_of_champion
from dagster_project.monitoring.tables import NATURAL, answered_with_truth, answers, input_column, with_inputs
from dagster_project.monitoring.watched import Watched
from dagster_project.quality.properties import properties

if TYPE_CHECKING:
    from datetime import datetime

    import numpy as np
    import polars as pl

PREDICTION, LABEL, MISSING = "(prediction)", "(label)", " is missing"
REFERENCE_ROWS = 20_000
SEASON, DAY = "(season)", "(day)"


@dataclass(frozen=True)
class Side:
    """``columns`` (n,) by name, floats or objects; ``season`` and ``day`` (n,) of each row, where they are known."""

    columns: "dict[str, np.ndarray]"
    season: "np.ndarray"
    day: "np.ndarray"

    def __len__(self) -> int:
        return len(self.season)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of what the model was asked, without whether it is missing."""
        beside = (PREDICTION, LABEL)
        return tuple(name for name in self.columns if name not in beside and not name.endswith(MISSING))

    def take(self, places: "np.ndarray") -> "Side":
        """Some of the rows."""
        part = {name: column[places] for name, column in self.columns.items()}
        return Side(part, self.season[places], self.day[places])


def compared_columns(watched: Watched) -> tuple[str, ...]:
    """Inputs that are looked at: the spec's, else all; not those that the log hashes."""
    named, restricted = watched.spec.monitoring.drift.columns, project(watched.spec, watched.contract).restricted
    return tuple(name for name in named or watched.spec.features.names if name not in restricted)


def reference_of(watched: Watched) -> Side | None:
    """A sample of the rows that the champion learned from, with its answers; None where the snapshot is not here."""
    import polars as pl

    rows = rows_of_champion(watched, "train", REFERENCE_ROWS)
    answered = None if rows is None else asked_again(watched, rows)
    if rows is None or answered is None:
        return None
    if answered.scores is None:
        said = pl.Series(answered.values)
    elif watched.spec.task == "binary":
        said = pl.Series(positive_scores(watched, answered))
    else:
        said = pl.Series([label_text(label) for label in answered.labels.tolist()])
    label = rows[watched.spec.target]
    return _side(rows, {name: name for name in compared_columns(watched)}, said, label, _time(watched), watched)


def window_of(watched: Watched, begin: date, end: date) -> Side:
    """Answers of the window whose inputs were logged, with what the champion said to them."""
    import polars as pl

    frame = answers(watched, begin, end - timedelta(days=1)).with_columns(when=pl.coalesce("time", "at"))
    rows = with_inputs(frame, watched).collect().sort("row_id")  # a sample does not depend on the order of files
    kind = {"binary": "score", "regression": "value"}.get(watched.spec.task, "label")
    own = pl.when(pl.col("onnx") == lock_of(watched).onnx).then(pl.col(kind))
    columns = {name: input_column(name) for name in compared_columns(watched)}
    said = rows.select(own.alias("said"))["said"]
    return _side(rows, columns, said, pl.Series([None] * rows.height, dtype=pl.String), "when", watched)


def labels_of(watched: Watched, begin: date, end: date, now: "datetime") -> "np.ndarray":
    """What was known at ``now`` of a window (n,): classes as text, or numbers."""
    import polars as pl

    rows = answered_with_truth(watched, begin, end - timedelta(days=1), as_of=now).filter(pl.col("kind") == NATURAL)
    regression = watched.spec.task == "regression"
    return _values(rows.select("true_value" if regression else "truth").collect().to_series(), number=regression)


def _time(watched: Watched) -> str | None:
    found = watched.contract.with_role(Role.EVENT_TIME)
    return found[0].name if found else None


def _side(
    rows: "pl.DataFrame", names: dict[str, str], said: "pl.Series", label: "pl.Series", time: str | None,
    watched: Watched,
) -> Side:  # fmt: skip
    import numpy as np
    import polars as pl

    known = project(watched.spec, watched.contract)
    described = [watched.contract.column(name) for name in names if name in known.modalities]
    columns = {
        name: _values(rows[held], number=name in known.numeric)
        for name, held in names.items()
        if name not in known.modalities
    }
    columns |= {f"{name}{MISSING}": _gone(column) for name, column in list(columns.items())}
    things = pl.DataFrame({column.name: _there(rows[names[column.name]]) for column in described})
    columns |= {f"{each.name}{MISSING}": np.where(each.is_null(), "yes", "no").astype(object) for each in things}
    columns |= {each.name: _values(each, number=True) for each in properties(things, described)}
    columns[PREDICTION] = _values(said, number=watched.spec.task != "multiclass")
    if label.null_count() < len(label) or not len(label):
        columns[LABEL] = _values(label, number=watched.spec.task == "regression")
    empty = np.full(rows.height, "", object)
    if time is None:
        return Side(columns, empty, empty)
    when = rows[time]
    return Side(columns, _season(when, watched), when.dt.date().cast(pl.String).to_numpy().astype(object))


def _season(when: "pl.Series", watched: Watched) -> "np.ndarray":
    """Which part of the declared seasons each row is of, in words."""
    import polars as pl

    parts = {
        "month": when.dt.strftime("%B"),
        "weekday": when.dt.strftime("%A"),
        "hour": when.dt.strftime("%H h"),
    }
    named = [parts[season].alias(season) for season in watched.spec.monitoring.drift.season]
    if not named:
        return pl.Series([""] * len(when), dtype=pl.String).to_numpy().astype(object)
    words = pl.DataFrame(named).select(pl.concat_str(pl.all(), separator=" ")).to_series()
    return words.to_numpy().astype(object)


def _values(column: "pl.Series", *, number: bool) -> "np.ndarray":
    """float32 as float64, as the log has them, with NaN; or text with None, where the empty text is missing."""
    import numpy as np
    import polars as pl

    if number:
        return column.cast(pl.Float64).to_numpy().astype(np.float32).astype(np.float64)
    text = column.cast(pl.String)
    return text.set(text == "", None).to_numpy().astype(object) if len(text) else np.empty(0, object)


def _there(series: "pl.Series") -> "pl.Series":
    """A text, images or windows; the empty text is missing, as in the log."""
    import polars as pl

    return series.set(series == "", None) if series.dtype == pl.String and len(series) else series


def _gone(column: "np.ndarray") -> "np.ndarray":
    import numpy as np

    missing = np.isnan(column) if column.dtype.kind == "f" else np.array([value is None for value in column], bool)
    return np.where(missing, "yes", "no").astype(object)
