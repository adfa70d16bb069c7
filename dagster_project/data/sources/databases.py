"""Tables of PostgreSQL and DuckDB, read whole: the digest of their rows says whether anything changed."""

import os
from functools import partial
from typing import TYPE_CHECKING, Any

from dagster_project.data.records import FileMark
from dagster_project.data.sources.parts import Part, Source, wrong_server
from dagster_project.domain.contract import DataContract, Server
from dagster_project.domain.errors import MachineryError
from dagster_project.domain.workspace import Workspace

if TYPE_CHECKING:
    import polars as pl

TIMEOUT_SECONDS = 15


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _table(contract: DataContract, server: Server, default_schema: str) -> tuple[str, str]:
    schema = str(server.options.get("schema") or default_schema)
    return schema, str(server.options.get("table") or contract.physical_name or contract.name)


def duckdb_source(contract: DataContract, server: Server, workspace: Workspace) -> Source:
    """A table of a DuckDB file below the repository; opened for reading only.

    Raises:
        UserFileError: no such file or table.
    """
    database = str(server.options.get("database") or "")
    path = workspace.repo / database
    if not path.is_file():
        raise wrong_server(contract, server, f"no database file `{database}`.", "Correct `database`.")
    schema, table = _table(contract, server, "main")
    label = f"{database}#{schema}.{table}"
    scan = partial(_read_duckdb, contract, server, str(path), schema, table)
    return Source(label, False, (Part(FileMark(path=label, size=0, mark=""), scan),))


def _read_duckdb(contract: DataContract, server: Server, path: str, schema: str, table: str) -> "pl.LazyFrame":
    import duckdb
    import polars as pl

    options: dict[str, Any] = {"autoload_known_extensions": "false", "autoinstall_known_extensions": "false"}
    try:
        with duckdb.connect(path, read_only=True, config=options) as connection:
            rows = connection.sql(f"SELECT * FROM {_quoted(schema)}.{_quoted(table)}").to_arrow_table()
    except duckdb.CatalogException as error:
        raise wrong_server(contract, server, f"no table {schema}.{table} in `{path}`.", "Correct `schema`.") from error
    except duckdb.Error as error:
        message = f"{contract.file}: server {server.name}: {path} can't be read: {str(error)[:300]}"
        raise MachineryError(f"{message}. Close whoever writes to it, or deliver the file again.") from error
    frame = pl.from_arrow(rows)
    assert isinstance(frame, pl.DataFrame)
    return _without_decimals(frame).lazy()


def postgres_source(contract: DataContract, server: Server, _workspace: Workspace) -> Source:
    """A table or view of PostgreSQL; the user is ACTS_POSTGRES_USER with ACTS_POSTGRES_PASSWORD, or libpq's PG*."""
    schema, table = _table(contract, server, "public")
    options = server.options
    label = f"postgres://{options.get('host')}:{options.get('port', 5432)}/{options.get('database')}#{schema}.{table}"
    scan = partial(_read_postgres, contract, server, schema, table)
    return Source(label, False, (Part(FileMark(path=label, size=0, mark=""), scan),))


def _connection_string(server: Server) -> str:
    """libpq keywords; what the environment doesn't say is left to libpq's own PG* variables and password file."""
    options = server.options
    keywords = {
        "host": options.get("host"),
        "port": options.get("port"),
        "dbname": options.get("database"),
        "user": os.environ.get("ACTS_POSTGRES_USER"),
        "password": os.environ.get("ACTS_POSTGRES_PASSWORD"),
        "connect_timeout": TIMEOUT_SECONDS,
    }
    escaped = {key: str(value).replace("\\", "\\\\").replace("'", "\\'") for key, value in keywords.items() if value}
    return " ".join(f"{key}='{value}'" for key, value in escaped.items())


def _read_postgres(contract: DataContract, server: Server, schema: str, table: str) -> "pl.LazyFrame":
    import polars as pl
    from adbc_driver_postgresql import dbapi

    try:
        with dbapi.connect(_connection_string(server)) as connection, connection.cursor() as cursor:
            query = _select(cursor, schema, table)
            if query is None:
                raise wrong_server(contract, server, f"no table {schema}.{table}.", "Correct `schema` or physicalName.")
            cursor.execute(query)
            frame = pl.from_arrow(cursor.fetch_arrow_table())
    except dbapi.Error as error:
        message = f"{contract.file}: server {server.name}: {server.options.get('host')} doesn't answer as it should"
        hint = "Check host, port, database and ACTS_POSTGRES_USER, ACTS_POSTGRES_PASSWORD or PG*."
        raise MachineryError(f"{message}: {str(error)[:300]}. {hint}") from error
    assert isinstance(frame, pl.DataFrame)
    return frame.lazy()


def _select(cursor: Any, schema: str, table: str) -> str | None:
    """All columns, numeric as double precision: the driver hands numeric over as text."""
    cursor.execute(
        "SELECT column_name::text, data_type::text FROM information_schema.columns"
        " WHERE table_schema = $1 AND table_name = $2 ORDER BY ordinal_position",
        (schema, table),
    )
    columns = cursor.fetchall()
    if not columns:
        return None
    casts = {"numeric": "::double precision", "uuid": "::text", "json": "::text", "jsonb": "::text"}
    names = ", ".join(f"{_quoted(name)}{casts.get(kind, '')} AS {_quoted(name)}" for name, kind in columns)
    return f"SELECT {names} FROM {_quoted(schema)}.{_quoted(table)}"


def _without_decimals(frame: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    return frame.with_columns(pl.selectors.decimal().cast(pl.Float64))
