"""From raw contract columns to the float32 matrix a learner takes: imputing, encoding, scaling, selection.

Everything here converts to ONNX without loss (facts: an imputer over text and infrequent-category grouping do not),
so rare categories are cut by naming the kept ones, and a missing category is a category of its own. Terms of a text
are many and mostly absent, so with them the matrix is sparse.
"""

from typing import TYPE_CHECKING, Any, get_args

from dagster_project.domain.bundle import Input
from dagster_project.domain.families import FAMILIES, Task
from dagster_project.domain.spec import Features, ModelSpec, Selection, TextTransform
from dagster_project.training.rows import alias

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from sklearn.compose import ColumnTransformer
    from sklearn.feature_selection import SelectKBest

MAX_CATEGORIES = 256
TERMS = get_args(TextTransform)


def column_transforms(features: Features, inputs: tuple[Input, ...], scaled: bool) -> dict[str, list[str]]:
    """Aliases of the columns by transform. Trees get numbers unscaled: float32 scaling moves rows across thresholds."""
    groups: dict[str, list[str]] = {}
    for place, item in enumerate(inputs):
        default = "words" if item.modality == "text" else "one_hot" if item.dtype == "string" else "standard"
        transform = str(features.transforms.get(item.name, default))
        if item.dtype == "float32" and (not scaled or transform in ("one_hot", "ordinal")):
            transform = "none"  # a boolean is its own encoding
        groups.setdefault(transform, []).append(alias(place))
    return groups


def preparations(spec: ModelSpec) -> list[str]:
    """The ways in which the candidates want their rows prepared: each makes a matrix of its own."""
    return sorted({FAMILIES[candidate.family].preparation for candidate in spec.candidates})


def make_preparation(
    features: Features, inputs: tuple[Input, ...], frame: "pd.DataFrame", scaled: bool
) -> "ColumnTransformer":
    """The unfitted transformer for these columns; ``frame`` (training rows) names the categories to keep."""
    from sklearn.compose import ColumnTransformer

    groups = column_transforms(features, inputs, scaled)
    names = {alias(place): item.name for place, item in enumerate(inputs)}
    steps = [(name, _transformer(name, frame[columns], scaled, names), columns) for name, columns in groups.items()]
    sparse = any(item.modality == "text" for item in inputs)
    return ColumnTransformer(steps, sparse_threshold=1.0 if sparse else 0.0)


def as_matrix(prepared: Any) -> Any:
    """What a ``ColumnTransformer`` made as float32: a C-contiguous array, or a sparse matrix by rows."""
    import numpy as np

    if isinstance(prepared, np.ndarray):
        return np.ascontiguousarray(prepared, dtype=np.float32)
    return prepared.tocsr().astype(np.float32)


def _transformer(name: str, frame: "pd.DataFrame", scaled: bool, names: dict[str, str]) -> Any:
    import numpy as np
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

    if name in TERMS:
        from dagster_project.training.terms import Terms

        return Terms(name, tuple(names[column] for column in frame))  # type: ignore[arg-type]
    if name not in ("one_hot", "ordinal"):
        return _number_transformer(name)
    categories = [frequent(frame[column]) for column in frame]
    if name == "one_hot":
        return OneHotEncoder(categories=categories, handle_unknown="ignore", dtype=np.float32, sparse_output=False)
    codes = OrdinalEncoder(
        categories=categories, handle_unknown="use_encoded_value", unknown_value=-1, dtype=np.float32
    )
    return make_pipeline(codes, StandardScaler()) if scaled else codes


def _number_transformer(name: str) -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

    imputer = SimpleImputer(strategy="median", keep_empty_features=True)  # a column with no value at all becomes 0
    scalers = {"standard": StandardScaler, "min_max": MinMaxScaler, "robust": RobustScaler}
    return imputer if name == "none" else make_pipeline(imputer, scalers[name]())


def frequent(column: "pd.Series") -> list[str]:
    """The column's most frequent values, sorted; the rest counts as unseen, so wide columns stay bounded."""
    counts = column.value_counts()
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return sorted(value for value, _ in ranked[:MAX_CATEGORIES])


def prepared_width(features: Features, inputs: tuple[Input, ...], frame: "pd.DataFrame", scaled: bool) -> int:
    """How many numbers these take a row, as far as the frame's rows tell: categories by their columns, terms by those
    that a text has."""
    from dagster_project.training.terms import numbers_a_row

    groups = column_transforms(features, inputs, scaled)
    wide = [len(frequent(frame[column])) for column in groups.pop("one_hot", [])]
    terms = [numbers_a_row(frame[column], unit) for unit in TERMS for column in groups.pop(unit, [])]
    return sum(wide) + sum(terms) + sum(map(len, groups.values()))


def raw_columns(preparation: "ColumnTransformer", inputs: tuple[Input, ...]) -> list[str]:
    """For each prepared column, the raw column that it comes from."""
    names = {alias(place): item.name for place, item in enumerate(inputs)}
    origins: list[str] = []
    for name, transformer, columns in preparation.transformers_:
        if name in TERMS:
            widths = transformer.widths
        else:
            widths = [len(kept) for kept in transformer.categories_] if name == "one_hot" else [1] * len(columns)
        for column, width in zip(columns, widths, strict=True):
            origins += [names[column]] * width
    return origins


def fit_selector(
    selection: Selection, task: Task, matrix: "np.ndarray", target: "np.ndarray", seed: int
) -> "SelectKBest | None":
    """Score the prepared columns once; :func:`keep` then takes a trial's share. None where nothing is selected."""
    from sklearn.feature_selection import SelectKBest

    if selection.method == "none":
        return None
    scorer = _univariate(task) if selection.method == "univariate" else _by_model(task, seed)
    return SelectKBest(scorer, k="all").fit(matrix, target)


def keep(selector: "SelectKBest | None", share: float) -> "SelectKBest | None":
    """A selector that keeps ``share`` of the columns, one at least; None where all stay."""
    from copy import copy

    if selector is None or share >= 1.0:
        return None
    chosen = copy(selector)
    chosen.k = max(1, round(share * selector.n_features_in_))
    return chosen


def _univariate(task: Task) -> Any:
    """F statistic of each column alone; a constant column scores lowest."""
    import numpy as np
    from sklearn.feature_selection import f_classif, f_regression

    statistic = f_regression if task == "regression" else f_classif

    def score(matrix: "np.ndarray", target: "np.ndarray") -> "np.ndarray":
        moving = matrix.std(axis=0) > 0
        scores = np.full(matrix.shape[1], -1.0)
        scores[moving] = statistic(matrix[:, moving].astype(np.float64), target)[0]
        return scores

    return score


def _by_model(task: Task, seed: int) -> Any:
    """Impurity decrease in a small forest of extremely randomised trees (Geurts et al. 2006)."""
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    kind = ExtraTreesRegressor if task == "regression" else ExtraTreesClassifier

    def score(matrix: "np.ndarray", target: "np.ndarray") -> "np.ndarray":
        forest = kind(n_estimators=30, max_depth=10, min_samples_leaf=5, random_state=seed)
        importances: np.ndarray = forest.fit(matrix, target).feature_importances_
        return importances

    return score
