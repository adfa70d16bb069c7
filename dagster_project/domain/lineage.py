"""Which sources the columns of a dataset come from."""

from collections.abc import Iterable, Mapping

from .contract import DataContract


def columns_by_source(contract: DataContract, columns: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """For each dataset that a derived one reads, those of ``columns`` that its values go into, in their order.

    A column that is made of several sources stands under each of them. What joins and filters read is no part of it. A
    column that the SQL does not trace to a table (``SELECT *``, no table named where there are several) stands nowhere.
    Empty for a dataset that is not derived.
    """
    if contract.derivation is None:
        return {}
    origins = _origins(contract.derivation.sql)
    names = list(columns)
    return {
        source: tuple(name for name in names if source in origins.get(name.lower(), ()))
        for source in contract.derivation.inputs
    }


def _origins(sql: str) -> Mapping[str, frozenset[str]]:
    from sqlglot import exp
    from sqlglot.errors import SqlglotError
    from sqlglot.lineage import lineage

    try:
        nodes = lineage(None, sql, schema={}, dialect="duckdb")
    except (SqlglotError, RecursionError):
        return {}
    assert isinstance(nodes, dict)
    return {
        name.lower(): frozenset(found.source.name for found in node.walk() if isinstance(found.source, exp.Table))
        for name, node in nodes.items()
    }
