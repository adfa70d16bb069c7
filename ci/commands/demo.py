"""``acts demo``: the whole story on real flights."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ci.options import repo_option
from dagster_project.domain.errors import UsageError

if TYPE_CHECKING:
    from ci.demo.kind import Kind

KINDS = ("text", "image", "series")


@click.command("demo")
@repo_option
@click.option("--year", is_flag=True, help="Live through twelve months with a deployed champion instead.")
@click.option("--text", is_flag=True, help="A model that reads text instead: which newsroom wrote a headline?")
@click.option("--image", is_flag=True, help="A model that reads images instead: what garment does a picture show?")
@click.option("--series", is_flag=True, help="A model that reads a series instead: how warm will it be tomorrow?")
def command(repo: Path, year: bool, **asked: bool) -> None:
    """A first champion, a better one, a refused contract and a refused model; in at most ten minutes on two cores.

    --year: a champion is served and watched day by day, and challenged by experiments. --text, --image, --series: real
    data of that kind, from its contract to a served model; what no package here carries is fetched once.
    """
    from ci.demo.kind import play_kind
    from ci.demo.story import play
    from ci.demo.year import play_year

    kinds = [name for name in KINDS if asked[name]]
    if len(kinds) + year > 1:
        raise UsageError("--year, --text, --image and --series are stories of their own; ask for one.")
    home = repo.resolve() / ".acts"
    if year:
        play_year(home / "demo-year")
    elif kinds:
        play_kind(_kind(kinds[0]), home / f"demo-{kinds[0]}", home / "packages")
    else:
        play(home / "demo")


def _kind(name: str) -> "Kind":
    from ci.demo.garments import GARMENTS
    from ci.demo.headlines import HEADLINES
    from ci.demo.temperatures import TEMPERATURES

    return {"text": HEADLINES, "image": GARMENTS, "series": TEMPERATURES}[name]
