"""Which columns of a dataset a model reads, and as what."""

from .base import StrictModel
from .contract import DataContract, LogicalType
from .spec import ModelSpec

NUMBERS = (LogicalType.NUMBER, LogicalType.INTEGER)


class Projection(StrictModel):
    """Feature columns in the spec's order: numbers, and the text and booleans that become categories.

    Values of ``restricted`` columns leave the rows for nothing but the model itself.
    """

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    restricted: tuple[str, ...] = ()

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
        restricted=tuple(name for name, column in columns.items() if not column.public),
    )
