"""``python -m dagster_project.serving.print_rayservice``: the manifest for ``kubectl apply``, on standard output.

``acts deploy --target kuberay --dry-run`` starts it: the command line imports nothing of serving.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from dagster_project.domain.errors import PASSED, UsageError
from dagster_project.serving.rayservice import RayServiceSettings, render
from dagster_project.serving.scaling import Scaling

_FROM_ENVIRONMENT = {"store": "ACTS_STORE", "serving": "ACTS_SERVING"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the manifest; the exit code."""
    given = {name: value for name, value in vars(_parser().parse_args(arguments)).items() if value is not None}
    try:
        sys.stdout.write(render(settings_of(given)))
    except UsageError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return PASSED


def settings_of(given: dict[str, Any]) -> RayServiceSettings:
    """Settings from flags: those of the scaling stand beside the others.

    Raises:
        UsageError: with every flag that is missing or wrong.
    """
    scaling = {name: given[name] for name in Scaling.model_fields if name in given}
    others = {name: value for name, value in given.items() if name not in scaling}
    try:
        return RayServiceSettings.model_validate({**others, "scaling": scaling})
    except ValidationError as error:
        raise UsageError("\n".join(_in_words(problem) for problem in error.errors())) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="acts deploy --target kuberay --dry-run")
    for model in (RayServiceSettings, Scaling):
        _add_flags(parser, model)
    return parser


def _add_flags(parser: argparse.ArgumentParser, model: type[BaseModel]) -> None:
    for name, field in model.model_fields.items():
        if name == "scaling":
            continue
        default = os.environ.get(_FROM_ENVIRONMENT.get(name, "")) or None
        parser.add_argument(f"--{name.replace('_', '-')}", default=default, help=field.description)


def _in_words(problem: Any) -> str:
    flag = str(problem["loc"][-1]) if problem["loc"] else ""
    if flag in ("", "scaling"):
        return f"{problem['msg'].removeprefix('Value error, ')}."
    return f"--{flag.replace('_', '-')}: {problem['msg']}."


if __name__ == "__main__":
    sys.exit(main())
