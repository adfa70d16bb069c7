"""``acts serve``: champions behind the Open Inference Protocol."""

import os
import sys
from pathlib import Path

import click

from ci.options import repo_option, repository


@click.command("serve")
@repo_option
@click.option("--host", default="127.0.0.1", show_default=True, help="An address that is not loopback needs tokens.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one.")
@click.option(
    "--tokens",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with bearer tokens and their roles; also ACTS_TOKENS.",
)
@click.option("--poll", type=click.FloatRange(0.05, 3600), default=1.0, show_default=True, help="Seconds.")
@click.option("--rate", type=click.FloatRange(0), default=0.0, help="Requests a second of one caller; 0: no limit.")
def command(repo: Path, host: str, port: int, tokens: Path | None, poll: float, rate: float) -> None:
    """Serve the champions that acts deploy has published, and follow what it publishes next."""
    folder = repository(repo)
    arguments = ["--repo", str(folder), "--host", host, "--port", str(port), "--poll", str(poll)]
    arguments += ["--rate", str(rate), *(["--tokens", str(tokens)] if tokens else [])]
    # In this process's place: who stops acts serve stops the server.
    os.execv(sys.executable, [sys.executable, "-m", "dagster_project.serving", *arguments])
