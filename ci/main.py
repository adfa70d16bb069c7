"""``acts``: the command line. Each command is imported only when it is called, so that starting stays cheap."""

import importlib
import json
import os
import sys
import traceback
from collections.abc import Sequence

import click

from dagster_project.domain.errors import BROKEN, PASSED, USER_ERROR, ActsError
from dagster_project.domain.text import plain

COMMANDS = {
    "check": "Check every contract and spec; all problems at once.",
    "plan": "Show what a change touches, why, and what it may cost.",
    "build": "Build a dataset or a model.",
    "judge": "Judge what was built: gates, champion, data checks.",
    "report": "Show the last report again.",
    "promote": "Write the champion lock that a verdict allows.",
    "deploy": "Publish what a commit's locks say; wait for the servers.",
    "pr": "Check, plan, build, judge and report in one go.",
    "github": "What the workflows on GitHub call; and acts github protect.",
    "compute": "Where models are trained: profiles, plans, what was left behind.",
    "ingest": "Move what servers logged into the prediction log's table.",
    "monitor": "What became of a champion's answers: labels, performance, drift.",
    "weights": "Put pretrained weights into the store, under their licence.",
    "labels": "Write what people said on the review page as files of a contract.",
    "experiment": "Propose a challenger when something calls for one; never promote it.",
    "reproduce": "Train a champion again and compare the bytes.",
    "serve": "Serve the champions, and follow what is deployed.",
    "demo": "Play the whole story on real flights.",
    "ui": "Open the Dagster UI on the repository's history.",
    "schema": "Print the JSON Schema of spec or floor, for editors.",
}


class LazyGroup(click.Group):
    """Lists the commands from a table; imports ``ci.commands.NAME`` when one is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"ci.commands.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--traceback", is_flag=True, expose_value=False, help="Show where an error came from; works anywhere.")
def acts() -> None:
    """Three Acts: pull requests that change machine learning, checked, built, judged and promoted.

    Exit codes: 0 passed, 1 a gate said no, 2 a file or the command is wrong, 3 the machinery broke.
    """


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit code says how it ended."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    show, as_json = "--traceback" in arguments, "--json" in arguments
    try:
        answer = acts.main([a for a in arguments if a != "--traceback"], prog_name="acts", standalone_mode=False)
        return answer if isinstance(answer, int) else PASSED
    except click.ClickException as error:
        error.show()
        return USER_ERROR
    except (click.Abort, KeyboardInterrupt):
        return _ended("Interrupted.", BROKEN)
    except BrokenPipeError:
        # Nobody reads any more. Python would complain once again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN
    except ActsError as error:
        if show:
            traceback.print_exc()
        return _ended(str(error), error.exit_code, as_json)
    except Exception as error:  # noqa: BLE001 - the one place where anything unexpected becomes exit code 3
        if show:
            traceback.print_exc()
        reason = " ".join(str(error).split())[:300]
        hint = "" if show else " Run it again with --traceback to see where."
        return _ended(f"Something unexpected broke: {type(error).__name__}: {reason}.{hint}", BROKEN, as_json)


def _ended(message: str, code: int, as_json: bool = False) -> int:
    click.echo(plain(message), err=True)
    if as_json:
        click.echo(json.dumps({"exit_code": code, "error": message}))
    return code


if __name__ == "__main__":
    sys.exit(main())
