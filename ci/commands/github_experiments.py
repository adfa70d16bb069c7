"""``acts github experiments``: the steps of the workflow ``experiment``, in their order.

``AGENDA`` holds what the first step found due, for all others; ``GITHUB_RUN_ID`` says which run they are of.
"""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from ci.options import count, repo_option, say
from dagster_project.domain.errors import UsageError
from dagster_project.domain.experimenting import Cause

if TYPE_CHECKING:
    from ci.experimenting.agenda import Agenda


@click.group("experiments")
def experiments() -> None:
    """The steps of the workflow that proposes challengers."""


@experiments.command("due")
@repo_option
@click.option("--model", default="", help="One model; default: each whose experiments are on.")
@click.option("--cause", type=click.Choice(["", *get_args(Cause)]), default="", help="Believe this cause.")
def due(repo: Path, model: str, cause: str) -> None:
    """What is due on the commit that is checked out, as outputs AGENDA and BUILDS."""
    from ci.experimenting.jobs import agenda_of
    from ci.git import resolve
    from ci.github.actions import output, shared_storage, summarise
    from ci.github.declarations import as_matrix

    shared_storage("ACTS_LEDGER")
    now = datetime.now(UTC).replace(microsecond=0)
    folder = repo.resolve()
    known: Cause | None = next((each for each in get_args(Cause) if each == cause), None)
    agenda, idle = agenda_of(folder, resolve(folder, "HEAD"), now, model or None, known)
    output("agenda", agenda.model_dump_json())
    output("due", "true" if agenda.items else "false")
    output("builds", as_matrix(tuple({"kind": "model", "name": item.model} for item in agenda.items if item.build)))
    lines = [f"{item.model}: due: {'; '.join(item.due.reasons)}" for item in agenda.items] + idle
    summarise("".join(f"- {line}\n" for line in lines))
    for line in lines or ["No model's experiments are on."]:
        say(line)


@experiments.command("lay-over")
@repo_option
@click.option("--model", required=True)
def lay_over(repo: Path, model: str) -> None:
    """Lay what a challenger declares over the working folder; output HEAD: the commit that would hold it."""
    from ci.experimenting.challenge import declared_head
    from ci.github.actions import output
    from ci.github.declarations import lay_over as replace

    agenda, folder = _agenda(), repo.resolve()
    head = declared_head(folder, agenda.base, model, agenda.now)
    say(f"{count(len(replace(folder, head)), 'file')} of {head[:12]}.")
    output("head", head)


@experiments.command("evaluate")
@repo_option
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="The outbox's folder.")
@click.option("--report", type=click.Path(path_type=Path, file_okay=False), required=True, help="The pages' folder.")
def evaluate(repo: Path, out: Path, report: Path) -> None:
    """Judge what the run built, as data; output DIGEST of what is left in --out."""
    from ci.experimenting.jobs import evaluate as judge_run
    from ci.github.actions import open_desk, output, run_url

    desk = open_desk(repo)
    digest = judge_run(desk.forge, desk.repo, _agenda(), (_run_id(), run_url()), out, report)
    output("digest", digest)
    say(f"Judged: {digest[:19]}.")


@experiments.command("publish")
@repo_option
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False, exists=True), required=True)
@click.option("--digest", required=True, help="Digest that the evaluation handed on.")
def publish(repo: Path, folder: Path, digest: str) -> None:
    """Keep an evaluation by digest, write it down, and bring the models' pull requests up to date."""
    from ci.commands.experiment import show
    from ci.experimenting.publishing import publish as publish_run
    from ci.github.actions import TOKEN, open_desk, shared_storage, summarise

    shared_storage("ACTS_STORE", "ACTS_LEDGER")
    for row in publish_run(open_desk(repo), os.environ.get(TOKEN), folder, digest, _run_id()):
        show(row)
        summarise(f"- {row.model}: {row.ending} {row.pull or ''} {' '.join(row.words)}\n")


def _agenda() -> "Agenda":
    from pydantic import ValidationError

    from ci.experimenting.agenda import Agenda

    try:
        return Agenda.from_json(os.environ.get("AGENDA", ""))
    except ValidationError:
        raise UsageError("AGENDA is not what `acts github experiments due` put out. Hand its output on.") from None


def _run_id() -> int:
    run = os.environ.get("GITHUB_RUN_ID", "")
    if not run.isdecimal():
        raise UsageError("GITHUB_RUN_ID is not set: this is a step of a workflow.")
    return int(run)
