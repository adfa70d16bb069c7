"""``acts github``: one command for each step of the workflows, and ``protect`` for who owns the repository.

``GITHUB_TOKEN``, ``GITHUB_REPOSITORY`` and ``GITHUB_API_URL`` say where; what a step hands on is its output.
"""

import os
from pathlib import Path

import click

from ci.commands.github_experiments import experiments
from ci.github.standing import SAMPLE
from ci.options import count, repo_option, say
from dagster_project.domain.errors import PASSED, REFUSED


@click.group("github")
def command() -> None:
    """The steps of the workflows in .github/workflows, and the repository's protection."""


command.add_command(experiments)


@command.command("builds")
@repo_option
@click.option("--base", required=True, help="Commit to compare with.")
@click.option("--head", default="HEAD", show_default=True, help="Commit to build.")
@click.option(
    "--own", is_flag=True, help="The branch is of this repository: leave out what the launcher builds itself."
)
def builds(repo: Path, base: str, head: str, own: bool) -> None:
    """What a run has to build for a head, as output BUILDS; reads git objects alone."""
    from ci.git import resolve
    from ci.github.actions import output
    from ci.github.declarations import as_matrix, builds_of_pull

    found = builds_of_pull(repo.resolve(), resolve(repo, base), resolve(repo, head), own=own)
    output("builds", as_matrix(found))
    say(f"{count(len(found), 'build')}: {', '.join(build['name'] for build in found) or 'nothing to do'}")


@command.command("announce")
@repo_option
@click.option("--run-id", type=int, required=True)
@click.option("--ended", is_flag=True, help="The run has ended.")
def announce(repo: Path, run_id: int, ended: bool) -> None:
    """Plan a head from git objects and tell it; output JUDGE: whether what the run left has to be judged."""
    from ci.github.actions import open_desk, output
    from ci.github.announcing import announce as tell_plan

    judge = tell_plan(open_desk(repo), run_id, ended=ended)
    output("judge", "true" if judge else "false")


@command.command("evaluate")
@repo_option
@click.option("--run-id", type=int, required=True)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="The outbox's folder.")
@click.option("--report", type=click.Path(path_type=Path, file_okay=False), required=True, help="The pages' folder.")
def evaluate(repo: Path, run_id: int, out: Path, report: Path) -> None:
    """Judge what a run built, as data; outputs DIGEST of what is left in --out (empty: nothing to publish)."""
    from ci.github.actions import open_desk, output
    from ci.github.evaluation import evaluate as judge_run

    desk = open_desk(repo)
    submission = desk.submission(run_id)
    if submission and submission.standing.sample:
        os.environ["ACTS_ENVIRONMENT"] = SAMPLE
    digest = judge_run(desk, submission, out, report) if submission else None
    output("digest", digest or "")
    if submission is None:
        say("No open pull request has this head any more.")
    else:
        say(f"Judged: {digest[:19]}." if digest else "This head was judged before.")


@command.command("publish")
@repo_option
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False, exists=True), required=True)
@click.option("--digest", required=True, help="Digest that the evaluation handed on.")
@click.option("--run-id", type=int, required=True, help="The run that was evaluated.")
def publish(repo: Path, folder: Path, digest: str, run_id: int) -> None:
    """Hash an evaluation again, keep it by digest, promote on the branch, and tell it."""
    from ci.github.actions import open_desk, shared_storage
    from ci.github.publication import publish as publish_outbox

    shared_storage("ACTS_STORE", "ACTS_LEDGER")
    done = publish_outbox(open_desk(repo), folder, digest, run_id)
    say(f"Promoted {', '.join(done.models)} in {done.commit[:12]}." if done.commit else "Published; nothing promoted.")


@command.command("broken")
@repo_option
@click.option("--run-id", type=int, required=True)
def broken(repo: Path, run_id: int) -> None:
    """Tell that judging a run broke: nothing has failed and nothing has passed."""
    from ci.github.actions import open_desk, run_url
    from ci.github.announcing import tell_broken

    told = tell_broken(open_desk(repo), run_id, run_url())
    say("Told that it broke." if told else "There is a verdict, or nobody waits for one.")


@command.command("admit")
@repo_option
@click.option("--pull", "number", type=int, required=True)
@click.option("--head", required=True, help="The commit.")
@click.option("--labelled-by", default="", help="Who set the label acts:train, if that is why this runs.")
def admit(repo: Path, number: int, head: str, labelled_by: str) -> None:
    """Whether the launcher builds a commit; outputs ADMITTED and BUILDS."""
    from ci.github.actions import open_desk, output
    from ci.github.approval import admit as look
    from ci.github.declarations import as_matrix

    found = look(open_desk(repo), number, head, labelled_by)
    output("admitted", "true" if found.admitted else "false")
    output("builds", as_matrix(found.builds))
    for reason in found.reasons:
        say(reason)
    if found.admitted:
        say(f"{head[:12]} of #{number}: {count(len(found.builds), 'build')}.")


@command.command("withdraw")
@repo_option
@click.option("--pull", "number", type=int, required=True)
def withdraw(repo: Path, number: int) -> None:
    """Take the approval's label off: it was given to another commit."""
    from ci.github.actions import open_desk
    from ci.github.approval import withdraw as unlabel

    gone = unlabel(open_desk(repo), number)
    say(f"The approval of #{number} is withdrawn." if gone else f"#{number} had no approval.")


@command.command("lay-over")
@repo_option
@click.option("--pull", "number", type=int, required=True)
@click.option("--head", required=True, help="Commit whose contracts and models are laid over the working folder.")
def lay_over(repo: Path, number: int, head: str) -> None:
    """Replace contracts and models by a pull request's, so that they are built by the code that stands here."""
    from ci.github.declarations import lay_over as replace
    from ci.heads import fetch_pull

    fetch_pull(repo.resolve(), number, os.environ.get("GITHUB_TOKEN"))
    say(f"{count(len(replace(repo.resolve(), head)), 'file')} of {head[:12]}.")


@command.command("deploy")
@repo_option
@click.option("--commit", default="HEAD", show_default=True, help="The merge.")
@click.option("--app", type=int, required=True, help="Id of the App whose check is a verdict.")
@click.option("--environment", default="production", show_default=True)
@click.option("--wait", type=float, default=300, show_default=True, metavar="SECONDS")
@click.option("--health", multiple=True, metavar="URL", help="A server that has to answer; may be given again.")
def deploy(repo: Path, commit: str, app: int, environment: str, wait: float, health: tuple[str, ...]) -> int:
    """Deploy a merge that a passed verdict stands for; what does not stay healthy is taken back."""
    from ci.deploying.console import Console
    from ci.deploying.show import show
    from ci.git import resolve
    from ci.github.actions import open_desk, run_url, shared_storage
    from ci.github.shipping import Shipping, ship

    shared_storage("ACTS_STORE", "ACTS_LEDGER", "ACTS_SERVING")
    to = Shipping(app, environment, wait, tuple(url for each in health for url in each.split()), run_url())
    done = ship(open_desk(repo), resolve(repo, commit), to, Console())
    show(done.deployment)
    if done.reason:
        say(done.words, "red")
    return done.exit_code


@command.command("promote-merged")
@repo_option
@click.option("--commit", default="HEAD", show_default=True, help="The merge.")
@click.option("--app", type=int, required=True, help="Id of the App whose check is a verdict.")
def promote_merged(repo: Path, commit: str, app: int) -> None:
    """Open the pull request that promotes what a merged branch earned and could not carry."""
    from ci.git import resolve
    from ci.github.actions import open_desk
    from ci.github.promotion import promote_merged as open_promotion
    from ci.github.shipping import verdict_of

    desk, merge = open_desk(repo), resolve(repo, commit)
    pull, outbox = verdict_of(desk, merge, app)
    number = open_promotion(desk, pull, merge, outbox)
    say(f"#{number} promotes what #{pull.number} earned." if number else f"#{pull.number} carried all it earned.")


@command.command("protect")
@click.option("--app", type=int, required=True, help="Id of the App whose check is a verdict.")
@click.option("--check", "checks", multiple=True, help="Name of a job that has to pass too; may be given again.")
@click.option("--yes", is_flag=True, help="Write without asking.")
def protect(app: int, checks: tuple[str, ...], yes: bool) -> int:
    """Show what would change of the repository's ruleset, ask, and write it; needs an owner's GITHUB_TOKEN."""
    from ci.github.actions import open_desk
    from ci.github.protection import NAME, difference, wanted_ruleset

    forge = open_desk(Path()).forge
    wanted = wanted_ruleset(app, checks)
    changed = difference(forge.ruleset(NAME), wanted)
    if not changed:
        say("Protected: the ruleset is as it should be.", "green")
        return PASSED
    say(changed)
    if not yes and not click.confirm("Write this?"):
        return REFUSED
    forge.create_labels()
    forge.put_ruleset(wanted)
    say("Protected.", "green")
    return PASSED
