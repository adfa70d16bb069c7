"""Debian's PostgreSQL server, one of its own for the tests that ask: on loopback, gone afterwards."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
OWNER = "reader"


@dataclass(frozen=True)
class Postgres:
    """A running server. Without a password it trusts everybody; with one nobody comes in without it."""

    folder: Path
    port: int
    password: str = ""

    def execute(self, *statements: str, database: str = "postgres") -> str:
        """Run statements as the owner, each by itself; what psql printed."""
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", OWNER, "-d", database]
        commands = [argument for statement in statements for argument in ("-c", statement)]
        done = subprocess.run(
            [BINARIES[-1] / "psql", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", *where, *commands],
            check=True, capture_output=True, text=True, env={**os.environ, "PGPASSWORD": self.password},
        )  # fmt: skip
        return done.stdout.strip()


@contextmanager
def running(password: str = "") -> Iterator[Postgres]:
    """A server until the block ends; skips where none is installed."""
    if not BINARIES:
        pytest.skip("no PostgreSQL server here: install Debian's package postgresql")
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    server = Postgres(folder, _free_port(), password)
    _initialise(server)
    command = [BINARIES[-1] / "postgres", "-D", folder / "data", "-h", "127.0.0.1", "-p", str(server.port)]
    process = subprocess.Popen(
        [*command, "-k", folder, "-F"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **_as_nobody()
    )
    try:
        _wait_for(server.port)
        yield server
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _as_nobody() -> dict:
    """PostgreSQL refuses to run as root."""
    return {"user": "nobody", "cwd": "/"} if os.geteuid() == 0 else {"cwd": "/"}


def _initialise(server: Postgres) -> None:
    secret = server.folder / "password"
    secret.write_text(f"{server.password}\n")
    for path in (server.folder, secret):
        if "user" in _as_nobody():
            shutil.chown(path, _as_nobody()["user"])
    asks = ["--auth=scram-sha-256", f"--pwfile={secret}"] if server.password else ["--auth=trust"]
    setup = [BINARIES[-1] / "initdb", "-D", server.folder / "data", "-U", OWNER, *asks, "--encoding=UTF8", "--no-sync"]
    subprocess.run(setup, check=True, capture_output=True, **_as_nobody())


def _wait_for(port: int) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        command = [BINARIES[-1] / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port), "-U", OWNER]
        if subprocess.run(command, check=False).returncode == 0:
            return
        time.sleep(0.1)
    pytest.fail("PostgreSQL did not start")
