"""From raw contract columns to the float32 matrix a learner takes: imputing, encoding, scaling.

Everything here converts to ONNX without loss (facts: an imputer over text and infrequent-category grouping do not),
so rare categories are cut by naming the kept ones, and a missing category is a category of its own. Terms of a text
are many and mostly absent, so with them the matrix is sparse.
"""

from typing import TYPE_CHECKING, Any, get_args

from dagster_project.domain.bundle import Input
from dagster_project.domain.families import FAMILIES, Preparation
from dagster_project.domain.spec import Features, ImageTransform, ModelSpec, TextTransform
from dagster_project.training.rows import places_of

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.compose import ColumnTransformer

MAX_CATEGORIES = 256
TERMS = get_args(TextTransform)
ALONE = get_args(ImageTransform)
_IN_ORDER = {"image": "pixels", "text": "tokens"}
"""What networks that know of the kind get of an image or a text."""


def column_transforms(features: Features, inputs: tuple[Input, ...], kind: Preparation) -> dict[str, list[int]]:
    """Places of the inputs by transform; what a row has in an image or, in order, in a text is prepared by itself.

    Trees get numbers unscaled: float32 scaling moves rows across thresholds.
    """
    groups: dict[str, list[int]] = {}
    for place, item in enumerate(inputs):
        transform = str(features.transforms.get(item.name, _default(item)))
        if item.dtype == "float32" and item.modality != "image":
            # a boolean is its own encoding
            transform = "none" if kind == "unscaled" or transform in ("one_hot", "ordinal") else transform
        elif kind == "tensors":
            transform = _IN_ORDER.get(item.modality, transform)
        alone = transform in (*ALONE, *_IN_ORDER.values())
        groups.setdefault(f"{transform} {place}" if alone else transform, []).append(place)
    return groups


def _default(item: Input) -> str:
    by_modality = {"text": "words", "image": "pooled", "series": "standard"}
    return by_modality.get(item.modality, "one_hot" if item.dtype == "string" else "standard")


def preparations(spec: ModelSpec) -> list[Preparation]:
    """The ways in which the candidates want their rows prepared: each makes a matrix of its own."""
    return sorted({FAMILIES[candidate.family].preparation for candidate in spec.candidates})


def make_preparation(
    features: Features, inputs: tuple[Input, ...], frame: "pd.DataFrame", kind: Preparation
) -> "ColumnTransformer":
    """The unfitted transformer for these columns; ``frame`` (training rows) names the categories to keep."""
    from sklearn.compose import ColumnTransformer

    groups, places = column_transforms(features, inputs, kind), places_of(inputs)
    steps = []
    for name, members in groups.items():
        columns = [column for place in members for column in places[place]]
        given = [inputs[place] for place in members]
        steps.append((name, _transformer(name.split(" ")[0], frame.iloc[:, columns], given, kind), columns))
    sparse = any(name in TERMS for name in groups)
    return ColumnTransformer(steps, sparse_threshold=1.0 if sparse else 0.0)


def as_matrix(prepared: Any) -> Any:
    """What a ``ColumnTransformer`` made as float32: a C-contiguous array, or a sparse matrix by rows."""
    import numpy as np

    if isinstance(prepared, np.ndarray):
        return np.ascontiguousarray(prepared, dtype=np.float32)
    return prepared.tocsr().astype(np.float32)


def _transformer(name: str, frame: "pd.DataFrame", given: list[Input], kind: Preparation) -> Any:
    import numpy as np
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

    if name in (*TERMS, *ALONE, *_IN_ORDER.values()):
        return _own_transformer(name, given, kind)
    if name not in ("one_hot", "ordinal"):
        return _number_transformer(name)
    categories = [frequent(frame[column]) for column in frame]
    if name == "one_hot":
        return OneHotEncoder(categories=categories, handle_unknown="ignore", dtype=np.float32, sparse_output=False)
    codes = OrdinalEncoder(
        categories=categories, handle_unknown="use_encoded_value", unknown_value=-1, dtype=np.float32
    )
    return codes if kind == "unscaled" else make_pipeline(codes, StandardScaler())


def _own_transformer(name: str, given: list[Input], kind: Preparation) -> Any:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from dagster_project.training.pixels import Pixels
    from dagster_project.training.terms import Terms
    from dagster_project.training.tokens import Tokens

    if name in TERMS:
        return Terms(name, tuple(item.name for item in given))  # type: ignore[arg-type]
    if name == "tokens":
        return Tokens()
    pixels = Pixels(given[0].shape, pooled=name == "pooled")
    return pixels if kind == "tensors" else make_pipeline(pixels, StandardScaler())


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


def prepared_width(features: Features, inputs: tuple[Input, ...], frame: "pd.DataFrame", kind: Preparation) -> int:
    """How many numbers these take a row, as far as the frame's rows tell: categories by their columns, terms by those
    that a text has."""
    groups, places = column_transforms(features, inputs, kind), places_of(inputs)
    return sum(
        _width(name.split(" ")[0], frame.iloc[:, places[place]], inputs[place])
        for name, members in groups.items()
        for place in members
    )


def _width(name: str, frame: "pd.DataFrame", item: Input) -> int:
    from dagster_project.training.pixels import fields
    from dagster_project.training.terms import numbers_a_row
    from dagster_project.training.tokens import LENGTH

    if name == "one_hot":
        return len(frequent(frame.iloc[:, 0]))
    if name in TERMS:
        return numbers_a_row(frame.iloc[:, 0], name)  # type: ignore[arg-type]
    if name == "tokens":
        return LENGTH
    return fields(item.shape).shape[1] if name == "pooled" else item.width


def prepared_inputs(preparation: "ColumnTransformer", inputs: tuple[Input, ...]) -> list[tuple[Input, int]]:
    """Each input with how many prepared columns are its own, in the order of the prepared columns."""
    owner = [item for item in inputs for _ in range(item.width)]
    found: list[tuple[Input, int]] = []
    for name, transformer, columns in preparation.transformers_:
        given = list(dict.fromkeys(owner[column] for column in columns))
        widths = _widths(name.split(" ")[0], transformer, given)
        found += list(zip(given, widths, strict=True))
    return found


def _widths(name: str, transformer: Any, given: list[Input]) -> list[int]:
    if name in TERMS:
        return list(transformer.widths)
    if name == "one_hot":
        return [len(kept) for kept in transformer.categories_]
    if name in (*ALONE, *_IN_ORDER.values()):
        return [transformer.width_ if hasattr(transformer, "width_") else transformer[0].width_]
    return [item.width for item in given]


def raw_columns(preparation: "ColumnTransformer", inputs: tuple[Input, ...]) -> list[str]:
    """For each prepared column, the raw column that it comes from."""
    return [item.name for item, width in prepared_inputs(preparation, inputs) for _ in range(width)]
