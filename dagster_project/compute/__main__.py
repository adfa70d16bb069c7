"""``python -m dagster_project.compute COMMAND``: what ``acts compute`` starts."""

import argparse
import sys
from collections.abc import Callable, Sequence

from dagster_project.compute.plan import add_plan, add_profiles
from dagster_project.compute.print_access import add_access
from dagster_project.compute.reap import add_reap
from dagster_project.domain.errors import ActsError
from dagster_project.domain.text import plain

COMMANDS: dict[str, Callable[[argparse.ArgumentParser], None]] = {
    "plan": add_plan,
    "profiles": add_profiles,
    "access": add_access,
    "reap": add_reap,
}
"""By name: what adds the command's flags, and sets ``run`` to what takes them and gives the exit code."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code."""
    parser = argparse.ArgumentParser(prog="acts compute")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, add in COMMANDS.items():
        add(commands.add_parser(name))
    given = parser.parse_args(arguments)
    try:
        code: int = given.run(given)
    except ActsError as error:
        print(plain(str(error)), file=sys.stderr)
        return error.exit_code
    return code


if __name__ == "__main__":
    sys.exit(main())
