"""Which columns of a dataset a model reads, and as what."""

from pydantic import Field

from .base import StrictModel
from .contract import DataContract, LogicalType, Role
from .families import Modality
from .lineage import columns_by_source
from .spec import ModelSpec

NUMBERS = (LogicalType.NUMBER, LogicalType.INTEGER)


class Projection(StrictModel):
    """Feature columns in the spec's order: numbers, strings and booleans, which become categories or terms, and wide
    ones, of which a row has many numbers: images and series.

    Values of ``restricted`` columns leave the rows for nothing but the model itself.
    """

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    modalities: dict[str, Modality] = Field(
        default_factory=dict, description="of what is not just a number or category"
    )
    shapes: dict[str, tuple[int, ...]] = Field(default_factory=dict, description="of the wide ones, by column")
    horizon: int = Field(default=0, description="steps of a series from its last to the target")
    season: int = Field(default=1, description="steps after which a series begins again")
    restricted: tuple[str, ...] = ()
    sources: dict[str, tuple[str, ...]] = Field(default_factory=dict, description="columns by source, where asked for")
    identifiers: tuple[str, ...] = Field(default=(), description="public id columns, where rows may be named")

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, numbers first."""
        return (*self.numeric, *self.categorical, *self.shapes)


def project(spec: ModelSpec, contract: DataContract) -> Projection:
    """The columns of ``spec`` sorted by what the contract says they are."""
    columns = {name: contract.column(name) for name in spec.features.names}
    numeric = tuple(name for name, column in columns.items() if column.logical_type in NUMBERS)
    shapes = {name: column.shape for name, column in columns.items() if column.shape}
    return Projection(
        numeric=numeric,
        categorical=tuple(name for name in columns if name not in numeric and name not in shapes),
        modalities={
            name: column.modality for name, column in columns.items() if column.modality not in (None, "tabular")
        },
        shapes=shapes,
        horizon=horizon_steps(spec, contract),
        season=season_steps(spec, contract),
        restricted=tuple(name for name, column in columns.items() if not column.public),
        sources=_sources(spec, contract),
        identifiers=_identifiers(spec, contract),
    )


def horizon_steps(spec: ModelSpec, contract: DataContract) -> int:
    """How many steps after a window's last the target is; 0 where no window is read."""
    columns = {column.name: column for column in contract.columns}
    series = [columns[name].series for name in spec.features.names if name in columns and columns[name].series]
    ahead = columns[spec.target].horizon
    return round(ahead / series[0].frequency) if series and series[0] and ahead else 0


def season_steps(spec: ModelSpec, contract: DataContract) -> int:
    """How many steps of the first window that is read are a season."""
    forms = (column.series for column in contract.columns if column.name in spec.features.names)
    return next((form.season_steps for form in forms if form), 1)


def _sources(spec: ModelSpec, contract: DataContract) -> dict[str, tuple[str, ...]]:
    asked = spec.headroom.on and spec.headroom.sources
    if not asked or spec.headroom.groups:
        return dict(spec.headroom.groups) if asked else {}
    return columns_by_source(contract, spec.features.names)


def _identifiers(spec: ModelSpec, contract: DataContract) -> tuple[str, ...]:
    """None where the target is not public: a listed row shows its label."""
    if not spec.headroom.on or not contract.column(spec.target).public:
        return ()
    return tuple(column.name for column in contract.with_role(Role.ID) if column.public)
