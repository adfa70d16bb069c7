"""SQL of a contract, run in ``sandbox.py``, bounded in time and memory. What it does wrong is its file's problem."""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagster_project.domain.errors import MachineryError, Problem, UserFileError

SANDBOX = Path(__file__).with_name("sandbox.py")
_LINE = re.compile(r"^LINE (\d+):", re.MULTILINE)


@dataclass(frozen=True)
class Limits:
    """How much a contract's SQL may take."""

    seconds: float = 300.0
    memory_bytes: int = 4 * 1024**3
    most_bytes: int = 8 * 1024**3


@dataclass(frozen=True)
class Query:
    """One SELECT: a value, or rows into the Parquet file ``output``. ``file`` and ``line`` are where it is written."""

    sql: str
    file: str
    line: int | None = None
    where: str = ""
    output: str | None = None


def run_queries(tables: Mapping[str, Sequence[str]], queries: Sequence[Query], limits: Limits) -> list[Any]:
    """The queries' values (rows written, for those with an output). ``tables``: name -> Parquet files.

    Raises:
        UserFileError: the SQL is wrong, reads files or the network, or takes more than ``limits``.
        MachineryError: the sandbox itself broke.
    """
    with tempfile.TemporaryDirectory(prefix="threeacts-sql-") as folder:
        request = {
            "tables": {name: _local(files, Path(folder)) for name, files in tables.items()},
            "queries": [{"sql": q.sql, "output": q.output, "most_bytes": limits.most_bytes} for q in queries],
            "memory_bytes": limits.memory_bytes,
        }
        answer = _ask(request, queries, limits)
    if "fault" in answer:
        raise _fault(answer, queries[answer["query"]], limits)
    values: list[Any] = answer["values"]
    return values


def _ask(request: dict[str, Any], queries: Sequence[Query], limits: Limits) -> dict[str, Any]:
    command = [sys.executable, "-P", "-s", str(SANDBOX)]
    try:
        done = subprocess.run(
            command,
            input=json.dumps(request),
            capture_output=True,
            text=True,
            timeout=limits.seconds,
            env={},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        message = f"the SQL did not end within {limits.seconds:g} s."
        raise UserFileError([_problem(queries[0], message, "Make it read or join less.", None)]) from error
    if done.returncode < 0:
        message = f"the SQL was ended by signal {-done.returncode}, most likely for its memory."
        raise UserFileError([_problem(queries[0], message, "Make it hold less at a time.", None)])
    if done.returncode:
        raise MachineryError(f"{queries[0].file}: the SQL sandbox broke: {done.stderr.strip()[-500:]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _fault(answer: dict[str, Any], query: Query, limits: Limits) -> UserFileError:
    words = answer["message"].split("\n\n")[0].strip()[:500]
    line = _LINE.search(answer["message"])
    message, hint = {
        "refused": (f"the SQL is refused: {words}", "It may only SELECT from the contract's inputs."),
        "memory": (
            f"the SQL takes more than {limits.memory_bytes / 1024**3:g} GiB: {words}",
            "Make it hold less at a time: join on keys, aggregate earlier.",
        ),
        "wrong": (
            f"the SQL can't be run: {words}",
            "Correct it; the inputs are the contract's `threeacts.derived_from`.",
        ),
    }[answer["fault"]]
    return UserFileError([_problem(query, message, hint, int(line[1]) if line else None)])


def _problem(query: Query, message: str, hint: str, line: int | None) -> Problem:
    """A line inside SQL that stands in a file of its own counts from 1; inside a contract, the rule's line is told."""
    place = query.line if query.line is not None else line
    return Problem(file=query.file, line=place, where=query.where, message=message, hint=hint, code="sql")


def _local(files: Sequence[str], folder: Path) -> list[str]:
    """Paths on this machine, so that the sandbox needs no credentials; objects are copied into ``folder`` first."""
    from upath import UPath

    paths = []
    for file in files:
        path = UPath(file)
        if isinstance(path, Path):
            paths.append(str(path))
        else:
            copy = folder / path.name
            copy.write_bytes(path.read_bytes())
            paths.append(str(copy))
    return paths
