"""``acts demo``: the whole story on real flights."""

from pathlib import Path

import click

from ci.options import repo_option


@click.command("demo")
@repo_option
def command(repo: Path) -> None:
    """A first champion, a better one, a refused contract and a refused model; in at most ten minutes on two cores."""
    from ci.demo.story import play

    play(repo.resolve() / ".acts" / "demo")
