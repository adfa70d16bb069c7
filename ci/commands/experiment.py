"""``acts experiment``: challengers that the system proposes by itself, when something calls for one."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from ci.options import json_option, repo_option, repository, say
from dagster_project.domain.errors import BROKEN, PASSED, REFUSED
from dagster_project.domain.experimenting import Cause, Due, Ending, ExperimentRow

if TYPE_CHECKING:
    from ci.experimenting.asking import Look

EXIT_CODES: dict[Ending, int] = {"refused": REFUSED, "waiting": REFUSED, "held": REFUSED, "broken": BROKEN}
COLOURS: dict[Ending, str] = {"refused": "yellow", "waiting": "yellow", "held": "yellow", "broken": "red"}


@click.command("experiment")
@click.argument("model", required=False)
@repo_option
@json_option
@click.option(
    "--cause", type=click.Choice(get_args(Cause)), help="Believe this cause; manual: whatever the pause says."
)
@click.option("--now", type=click.DateTime(), help="As at this time (UTC), to play the past again; default: now.")
@click.option("--dry-run", is_flag=True, help="Say what is due and why; build nothing.")
def command(
    model: str | None, repo: Path, as_json: bool, cause: Cause | None, now: datetime | None, dry_run: bool
) -> int:
    """Build a challenger of MODEL on fresh data, judge it, propose it; default: of each model whose experiments are on.

    What passes becomes a pull request, branch experiment/MODEL; a person merges it. Exit 0 proposed, or nothing was
    due; 1 refused; 2 a file is wrong; 3 something broke.
    """
    from ci.experimenting.asking import look, models_asked
    from ci.git import GitTree, main_tip
    from dagster_project.domain.loading import load_repository
    from dagster_project.domain.workspace import Workspace

    at = (now or datetime.now(UTC)).replace(tzinfo=UTC)
    workspace = Workspace(repo=repository(repo))
    base = GitTree(workspace.repo, main_tip(workspace.repo))
    known = load_repository(base)
    looks = [look(workspace, known, name, at, cause) for name in models_asked(known, model)]
    if not as_json:
        for each in looks:
            show_look(each)
    wanted = [] if dry_run else [(each.model, each.due) for each in looks if each.due]
    rows = [_done(workspace.repo, base.commit, name, why, at, as_json) for name, why in wanted]
    if as_json:
        click.echo(json.dumps(as_document(looks, rows), indent=2, sort_keys=True))
    return max((EXIT_CODES.get(row.ending, PASSED) for row in rows), default=PASSED)


def as_document(looks: "list[Look]", rows: list[ExperimentRow]) -> dict[str, object]:
    """The answer for machines."""
    asked = [
        {"model": each.model, "due": each.due.model_dump(mode="json") if each.due else None, "words": each.words}
        for each in looks
    ]
    return {"schema_version": 1, "looks": asked, "experiments": [row.model_dump(mode="json") for row in rows]}


def _done(repo: Path, base: str, model: str, due: Due, now: datetime, quiet: bool) -> ExperimentRow:
    from ci.experimenting.bench import LocalBench
    from ci.experimenting.local import LocalForge
    from ci.experimenting.run import experiment
    from dagster_project.domain.workspace import Workspace

    forge = LocalForge(Workspace(repo=repo))
    row = experiment(repo, base, model, due, now, forge, LocalBench(quiet))
    if not quiet:
        show(row)
    return row


def show_look(each: "Look") -> None:
    """What is due, for people."""
    if each.due:
        say(f"{each.model}: due: {'; '.join(each.due.reasons)}", "cyan")
    else:
        say(f"{each.model}: nothing is due: {each.words}")


def show(row: ExperimentRow) -> None:
    """What became of an experiment, for people."""
    where = f" in {row.pull}" if row.pull else ""
    say(f"{row.model}: {row.ending}{where}", COLOURS.get(row.ending, "green"))
    for words in row.words:
        say(f"  {words}")
    if row.report:
        say(f"  Report: {row.report}")
    if row.commit and row.ending in ("opened", "updated", "unchanged"):
        say(f"  Review it: git diff {row.base[:12]}...{row.commit[:12]}; nothing is promoted until it is merged.")
