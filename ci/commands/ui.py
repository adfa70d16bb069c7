"""``acts ui``: Dagster's UI on the repository's history, for this machine only."""

import os
import signal
import socket
import sys
from pathlib import Path

import click

from ci.options import repo_option, repository


@click.command("ui")
@repo_option
@click.option("--port", type=click.IntRange(1024, 65535), default=3000, show_default=True)
def command(repo: Path, port: int) -> None:
    """Serve the lineage, runs, checks and plots on 127.0.0.1 until Ctrl-C."""
    from dagster_project.domain.fingerprint import ROOT
    from dagster_project.domain.workspace import Workspace

    workspace = Workspace(repo=repository(repo))
    workspace.dagster_home.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        "ACTS_REPO": str(workspace.repo),
        "DAGSTER_HOME": str(workspace.dagster_home),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }
    _refuse_taken(port)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a script's background ignores it, and Dagster with it
    click.echo(f"Dagster UI: http://127.0.0.1:{port} (Ctrl-C ends it)")
    arguments = ["-m", "dagster", "dev", "-m", "dagster_project.definitions", "-h", "127.0.0.1", "-p", str(port)]
    os.chdir(ROOT)
    os.execve(sys.executable, [sys.executable, *arguments], environment)


def _refuse_taken(port: int) -> None:
    from dagster_project.domain.errors import MachineryError

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise MachineryError(
                f"127.0.0.1:{port} can't be listened on: {error.strerror}. Choose another --port."
            ) from None
