"""The table of the rules benchmark: 20 columns, 53 rules, one million rows, clean or with planted errors."""

from typing import Any

import numpy as np
import polars as pl
import yaml

ROWS = 1_000_000
INTEGERS = [f"int_{place}" for place in range(9)]
NUMBERS = [f"num_{place}" for place in range(6)]
CODES, NAMES = ["code_0"], ["name_0"]
TIMES = ["at_0", "at_1"]
LETTERS = ["red", "green", "blue", "black"]
PLANTED = {
    "id.unique": 1, "int_0.required": 1000, "int_1.maximum": 1288, "code_0.enum": 200, "name_0.pattern": 101,
    "num_2.minimum": 77,
}  # fmt: skip


def _property(name: str, logical: str, physical: str, more: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "logicalType": logical, "physicalType": physical, "required": True} | more


def contract(path: str) -> str:
    """An ODCS document over the Parquet file: 20 required, 1 unique, 30 bounds, 1 enum, 1 pattern: 53 rules."""
    bounds = {"logicalTypeOptions": {"minimum": 0, "maximum": 1000}}
    columns = [_property("id", "integer", "BIGINT", {"unique": True})]
    columns += [_property(name, "integer", "BIGINT", bounds) for name in INTEGERS]
    columns += [_property(name, "number", "DOUBLE", bounds) for name in NUMBERS]
    columns += [_property(name, "string", "VARCHAR", {"enum": [{"value": v} for v in LETTERS]}) for name in CODES]
    for name in NAMES:
        options = {"logicalTypeOptions": {"pattern": "^N[0-9]+$"}}
        columns.append(_property(name, "string", "VARCHAR", options))
    columns += [_property(name, "timestamp", "TIMESTAMP", {}) for name in TIMES]
    document = {
        "apiVersion": "v3.2.0", "kind": "DataContract", "id": "rows", "name": "rows", "version": "1.0.0",
        "status": "active",
        "servers": [{"server": "here", "type": "local", "path": path, "format": "parquet"}],
        "schema": [{"name": "rows", "physicalType": "table", "properties": columns}],
    }  # fmt: skip
    return yaml.safe_dump(document, sort_keys=False)


def rows(planted: bool) -> pl.DataFrame:
    """The table; ``planted``: with exactly the errors of ``PLANTED``."""
    random = np.random.default_rng(0)
    table: dict[str, Any] = {"id": np.arange(ROWS)}
    table |= {name: random.integers(0, 1001, ROWS) for name in INTEGERS}
    table |= {name: random.uniform(0, 1000, ROWS) for name in NUMBERS}
    table |= {name: np.array(LETTERS)[random.integers(0, 4, ROWS)] for name in CODES}
    table |= {name: [f"N{n}" for n in random.integers(0, 99_999, ROWS)] for name in NAMES}
    table |= {name: np.datetime64("2013-01-01", "us") + random.integers(0, 10**15, ROWS) for name in TIMES}
    frame = pl.DataFrame(table)
    return _spoiled(frame) if planted else frame


def _spoiled(frame: pl.DataFrame) -> pl.DataFrame:
    row = pl.int_range(pl.len())

    def first(rule: str) -> pl.Expr:
        return row < PLANTED[rule]

    return frame.with_columns(
        pl.when(row == 1).then(0).otherwise("id").alias("id"),
        pl.when(~first("int_0.required")).then("int_0").alias("int_0"),
        pl.when(first("int_1.maximum")).then(1001).otherwise("int_1").alias("int_1"),
        pl.when(first("code_0.enum")).then(pl.lit("pink")).otherwise("code_0").alias("code_0"),
        pl.when(first("name_0.pattern")).then(pl.lit("X1")).otherwise("name_0").alias("name_0"),
        pl.when(first("num_2.minimum")).then(-0.5).otherwise("num_2").alias("num_2"),
    )


def by_hand(path: str) -> dict[str, int]:
    """The same 53 rules as somebody would write them for this one table."""
    names = ["id", *INTEGERS, *NUMBERS, *CODES, *NAMES, *TIMES]
    checks = [pl.col(name).is_null().sum().alias(f"{name}.required") for name in names]
    checks.append((pl.len() - pl.col("id").n_unique()).alias("id.unique"))
    for name in (*INTEGERS, *NUMBERS):
        checks.append((pl.col(name) < 0).sum().alias(f"{name}.minimum"))
        checks.append((pl.col(name) > 1000).sum().alias(f"{name}.maximum"))
    checks += [(~pl.col(name).is_in(LETTERS)).sum().alias(f"{name}.enum") for name in CODES]
    for name in NAMES:
        checks.append((~pl.col(name).str.contains("^N[0-9]+$")).sum().alias(f"{name}.pattern"))
    return pl.scan_parquet(path).select(checks).collect().row(0, named=True)
