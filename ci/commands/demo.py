"""``acts demo``: the whole story on real flights."""

from pathlib import Path

import click

from ci.options import repo_option


@click.command("demo")
@repo_option
@click.option("--year", is_flag=True, help="Live through twelve months with a deployed champion instead.")
def command(repo: Path, year: bool) -> None:
    """A first champion, a better one, a refused contract and a refused model; in at most ten minutes on two cores.

    --year: a champion is served and watched day by day, and challenged by experiments.
    """
    from ci.demo.story import play
    from ci.demo.year import play_year

    home = repo.resolve() / ".acts"
    if year:
        play_year(home / "demo-year")
    else:
        play(home / "demo")
