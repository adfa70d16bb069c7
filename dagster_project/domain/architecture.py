"""``models/NAME/architecture.py``: a network of the model's own. Here it is text; training alone runs it."""

import ast
from collections.abc import Iterator

from .errors import Problem
from .spec import ModelSpec
from .yamlfile import Document

FAMILY, FUNCTION = "architecture", "network"
ARGUMENTS = ("layout", "outputs", "parameters")
MOST_BYTES = 100_000


def architecture_file(name: str) -> str:
    """Where a model's own network lies."""
    return f"models/{name}/architecture.py"


def check_architecture(spec: ModelSpec, at: Document) -> Iterator[Problem]:
    """A candidate and the file go together, and the file has the one function; nothing of it runs."""
    place = next((index for index, each in enumerate(spec.candidates) if each.family == FAMILY), None)
    file = architecture_file(spec.name)
    if place is not None and spec.architecture is None:
        message = f"there is no {file}, where the network would be."
        yield at.problem(
            ("candidates", place, "family"), message, f"Write it; it has {_wanted()}.", code="architecture"
        )
    if place is None and spec.architecture is not None:
        message = "no candidate of the spec is this network."
        yield Problem(
            file=file, message=message, hint=f"Add the family {FAMILY}, or remove the file.", code="architecture"
        )
    if spec.architecture is not None:
        yield from _function(spec.architecture, file)


def _function(source: str, file: str) -> Iterator[Problem]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line, said = getattr(error, "lineno", None), getattr(error, "msg", str(error))
        yield Problem(file=file, line=line, message=f"this is no Python: {said}.", hint="Mend it.", code=FAMILY)
        return
    found = [each for each in tree.body if isinstance(each, ast.FunctionDef) and each.name == FUNCTION]
    if not found:
        message = f"there is no function {FUNCTION}."
        yield Problem(file=file, line=1, message=message, hint=f"Write {_wanted()}.", code=FAMILY)
    elif tuple(argument.arg for argument in found[-1].args.args) != ARGUMENTS:
        message = f"{FUNCTION} has other arguments."
        yield Problem(
            file=file, line=found[-1].lineno, message=message, hint=f"Write {_wanted()}.", code="architecture"
        )


def _wanted() -> str:
    return f"def {FUNCTION}({', '.join(ARGUMENTS)}), which returns a torch.nn.Module"
