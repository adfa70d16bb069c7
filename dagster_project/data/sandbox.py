"""Runs SQL that a contributor wrote, as a program of its own: no files, no network, no settings, no secrets.

Request on standard input and answer on standard output, both JSON. The parent ends it when its time is over. DuckDB
closes the door itself (https://duckdb.org/docs/stable/operations_manual/securing_duckdb/overview): external access
off, extensions off, no replacement scans of Python variables, configuration locked. Inputs are registered before.
This file imports nothing of the project, so that it can run in an empty environment.
"""

import json
import resource
import sys
from typing import Any

CLOSED = {
    "enable_external_access": "false",
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
    "temp_directory": "",
    "threads": "2",
}
HEADROOM = 6 * 1024**3  # address space that the libraries reserve and never touch
BATCH_ROWS = 100_000


class RefusedSqlError(Exception):
    """Not one SELECT."""


def main() -> None:
    """Answer one request."""
    request = json.load(sys.stdin)
    limit = request["memory_bytes"] + HEADROOM
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    json.dump(answer(request), sys.stdout)


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """``{"values": [...]}`` in the queries' order, or ``{"fault", "message", "query"}`` of the first that failed."""
    import duckdb
    from pyarrow.lib import ArrowException

    connection = duckdb.connect(config={**CLOSED, "memory_limit": f"{request['memory_bytes']}B"})
    for name, files in request["tables"].items():
        _register(connection, name, files)
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET lock_configuration = true")
    values = []
    for place, query in enumerate(request["queries"]):
        try:
            values.append(_run(connection, query))
        except (duckdb.Error, ArrowException, MemoryError, RefusedSqlError) as error:
            return {"fault": _fault(error), "message": str(error)[:2000], "query": place}
    return {"values": values}


def _register(connection: Any, name: str, files: list[str]) -> None:
    import pyarrow.dataset

    connection.register(name, pyarrow.dataset.dataset(files, format="parquet"))


def _run(connection: Any, query: dict[str, Any]) -> Any:
    import duckdb

    statements = connection.extract_statements(query["sql"])
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise RefusedSqlError("expected one SELECT and nothing else")
    connection.execute(f"EXPLAIN {query['sql']}")  # its errors name the line
    if query["output"] is not None:
        return _write(connection.sql(query["sql"]), query["output"], query["most_bytes"])
    row = connection.execute(query["sql"]).fetchone()
    return _plain(row[0]) if row else None


def _plain(value: Any) -> Any:
    """A value as JSON has it; decimals become numbers, times text."""
    if value is None or isinstance(value, int | float | str):
        return value
    return float(value) if hasattr(value, "__float__") else str(value)


def _write(result: Any, output: str, most_bytes: int) -> int:
    """Rows as they come, to one Parquet file; their number."""
    import pyarrow.parquet

    reader, rows = result.to_arrow_reader(BATCH_ROWS), 0
    with pyarrow.parquet.ParquetWriter(output, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)
            rows += batch.num_rows
            if writer.file_handle is not None and writer.file_handle.tell() > most_bytes:
                raise MemoryError(f"the result is larger than {most_bytes:,} bytes")
    return rows


def _fault(error: BaseException) -> str:
    import duckdb

    if isinstance(error, duckdb.PermissionException | RefusedSqlError) or "Permission Error" in str(error):
        return "refused"
    if isinstance(error, MemoryError | duckdb.OutOfMemoryException) or "Out of Memory Error" in str(error):
        return "memory"
    return "wrong"


if __name__ == "__main__":
    main()
