"""Which columns of a dataset a model reads, and as what."""

from pydantic import Field

from .base import StrictModel
from .contract import DataContract, LogicalType, Role
from .lineage import columns_by_source
from .spec import ModelSpec

NUMBERS = (LogicalType.NUMBER, LogicalType.INTEGER)


class Projection(StrictModel):
    """Feature columns in the spec's order: numbers, and strings and booleans, which become categories or terms.

    Values of ``restricted`` columns leave the rows for nothing but the model itself.
    """

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    text: tuple[str, ...] = Field(default=(), description="of the categorical, those that are read as text")
    restricted: tuple[str, ...] = ()
    sources: dict[str, tuple[str, ...]] = Field(default_factory=dict, description="columns by source, where asked for")
    identifiers: tuple[str, ...] = Field(default=(), description="public id columns, where rows may be named")

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, numbers first."""
        return self.numeric + self.categorical


def project(spec: ModelSpec, contract: DataContract) -> Projection:
    """The columns of ``spec`` sorted by what the contract says they are."""
    columns = {name: contract.column(name) for name in spec.features.names}
    numeric = tuple(name for name, column in columns.items() if column.logical_type in NUMBERS)
    return Projection(
        numeric=numeric,
        categorical=tuple(name for name in columns if name not in numeric),
        text=tuple(name for name, column in columns.items() if column.modality == "text"),
        restricted=tuple(name for name, column in columns.items() if not column.public),
        sources=_sources(spec, contract),
        identifiers=_identifiers(spec, contract),
    )


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
