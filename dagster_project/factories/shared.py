"""The team's Dagster: its storage is the PostgreSQL database that ``ACTS_DAGSTER_POSTGRES_URL`` names.

The address, and a password in it, stay in this process: nothing here prints them or writes them down.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dagster_project.domain.errors import MachineryError, UsageError

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

POSTGRES_URL, PASSWORD = "ACTS_DAGSTER_POSTGRES_URL", "ACTS_DAGSTER_PASSWORD"
DRIVER = "postgresql+psycopg2"  # the one that dagster-postgres knows
SCHEMES = ("postgres", "postgresql", DRIVER)
CONNECT_SECONDS, WAIT_SECONDS = 10, 120
PAUSES = (0.5, 1.0, 2.0)
TABLES = 0x74687265_65616374  # the advisory lock's number: "threeact"
FORM = f"postgresql://USER@HOST:5432/DATABASE; the password can be in it or in {PASSWORD}"


def shared_url(environment: Mapping[str, str]) -> "URL | None":
    """The database's address as SQLAlchemy takes it; None where Dagster is this machine's own.

    Raises:
        UsageError: it is no address of a PostgreSQL database.
    """
    if not environment.get(POSTGRES_URL):
        return None
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(environment[POSTGRES_URL])
    except (ArgumentError, ValueError):
        url = None  # their words may repeat the address
    if url is None or url.drivername not in SCHEMES or not url.database:
        raise UsageError(f"{POSTGRES_URL}: not an address like {FORM}.")
    patient = {"connect_timeout": str(CONNECT_SECONDS), **url.query}
    # Not libpq's PGPASSWORD: whoever a contract names as a source would be told that too.
    password = url.password or environment.get(PASSWORD) or None
    return url.set(drivername=DRIVER, query=patient, password=password)


def storage_of(url: "URL") -> dict[str, Any]:
    """What ``dagster.yaml`` would say of the storage."""
    return {"storage": {"postgres": {"postgres_url": url.render_as_string(hide_password=False)}}}


def place(url: "URL") -> str:
    """Where the database is, for people."""
    return f"{url.host or 'localhost'}:{url.port or 5432}/{url.database}"


@contextmanager
def alone(url: "URL") -> Iterator[None]:
    """Hold the database's advisory lock: tables are made by one process at a time, on whichever machine.

    The lock belongs to a transaction, so that it ends with its holder and goes through a pooler.

    Raises:
        MachineryError: the database doesn't answer, refuses us, or is held for too long.
    """
    from dagster_postgres.utils import DagsterPostgresException
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import NullPool

    try:
        with _connected(create_engine(url, poolclass=NullPool)) as connection:
            connection.execute(text(f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'"))
            connection.execute(text(f"SELECT pg_advisory_xact_lock({TABLES})"))
            yield
    except (DBAPIError, DagsterPostgresException) as error:
        raise trouble(url, error) from None


def _connected(engine: "Engine") -> "Connection":
    """A connection; a server that starts or is full is asked again."""
    from sqlalchemy.exc import OperationalError

    for pause in PAUSES:
        try:
            return engine.connect()
        except OperationalError:
            time.sleep(pause)
    return engine.connect()


def trouble(url: "URL", error: BaseException) -> MachineryError:
    """What the database said, with what to do about it and without the password."""
    return MachineryError(
        f"Dagster's shared database {place(url)} can't be used: {words_of(error)}. "
        f"Mend {POSTGRES_URL} or {PASSWORD}, or unset {POSTGRES_URL} to keep Dagster's history on this machine."
    )


def words_of(error: BaseException) -> str:
    """The driver's own words, which never hold a password; Dagster and SQLAlchemy wrap them."""
    return " ".join(str(cause_of(error)).split()).rstrip(".")


def cause_of(error: BaseException) -> BaseException:
    """The driver's own error below Dagster's and SQLAlchemy's."""
    while (inner := getattr(error, "orig", None) or error.__cause__) is not None:
        error = inner
    return error
