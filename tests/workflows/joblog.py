"""What act's log (``--json``) says about jobs and steps."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_WORST = ("success", "failure")


@dataclass(frozen=True)
class Step:
    """A step that ran: its job as ``jobs`` names it, its id (or number), its name, and ``success`` or ``failure``."""

    job: str
    id: str
    name: str
    result: str


def entries(text: str) -> Iterator[dict[str, Any]]:
    """The log's lines; raises ``RuntimeError`` where act itself gave up, which says nothing about the workflow."""
    for line in filter(None, text.split("\n")):
        entry = json.loads(line) if line.startswith("{") else {"msg": line}
        if entry.get("level") == "fatal":
            raise RuntimeError(f"act: {entry['msg']}")
        yield entry


def told(log: Iterable[Mapping[str, Any]]) -> str:
    """What act itself says, for people; what steps print is in ``Home.prints``."""
    own = (entry for entry in log if not entry.get("raw_output"))
    lines = (f"[{entry['job'].strip()}] {entry['msg']}" if "job" in entry else str(entry["msg"]) for entry in own)
    return "\n".join(line.rstrip() for line in lines)


def job_name(entry: Mapping[str, Any], workflow: Mapping[str, Any]) -> str:
    """``build``, ``build (a, b)`` with the matrix' values by their keys' order, ``caller / job`` of a called workflow.

    act's own name is WORKFLOW/JOB, and CALLER/CALLED WORKFLOW/JOB where a workflow is called (CALLER-2 in a matrix).
    """
    matrix = entry.get("matrix") or {}
    name = entry["jobID"] + (f" ({', '.join(str(matrix[key]) for key in sorted(matrix))})" if matrix else "")
    if entry["job"].startswith(f"{workflow['name']}/"):
        return name
    first = entry["job"].split("/")[0].strip()
    callers = {str(job.get("name", key)): key for key, job in workflow["jobs"].items() if "uses" in job}
    return f"{callers.get(first) or callers.get(re.sub(r'-[0-9]+$', '', first)) or first} / {name}"


def job_results(log: Sequence[Mapping[str, Any]], workflow: Mapping[str, Any]) -> dict[str, str]:
    """The result of each job; one that left no word was skipped."""
    results: dict[str, str] = {}
    failed = {entry["job"] for entry in log if _is_failure(entry)}
    for entry in log:
        if result := entry.get("jobResult"):
            # act has one result for all jobs of a matrix: once one failed, those that end later have failed.
            own = "success" if entry.get("matrix") and entry["job"] not in failed else result
            name = job_name(entry, workflow)
            results[name] = max(own, results.get(name, own), key=_WORST.index)
    heard = {re.split(r" / | \(", name)[0] for name in results}
    return results | {job: "skipped" for job in workflow["jobs"] if job not in heard}


def _is_failure(entry: Mapping[str, Any]) -> bool:
    """A step's error that ends its job; ``::error::`` is an error too, but a command."""
    return entry.get("level") == "error" and "job" in entry and "command" not in entry


def steps(log: Iterable[Mapping[str, Any]], workflow: Mapping[str, Any]) -> tuple[Step, ...]:
    """The main steps in the order in which they ended; not the steps within an action."""
    return tuple(
        Step(job_name(entry, workflow), entry["stepID"][0], entry["step"], entry["stepResult"])
        for entry in log
        if entry.get("stepResult") and entry.get("stage") == "Main" and len(entry["stepID"]) == 1
    )


def outputs(log: Iterable[Mapping[str, Any]], workflow: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """What each job's steps put out: ``{job: {"step.name": value}}``."""
    found: dict[str, dict[str, str]] = {}
    for entry in log:
        if entry.get("command") == "set-output" and len(entry["stepID"]) == 1:
            found.setdefault(job_name(entry, workflow), {})[f"{entry['stepID'][0]}.{entry['name']}"] = entry["arg"]
    return found


def summaries(log: Iterable[Mapping[str, Any]], workflow: Mapping[str, Any]) -> dict[str, str]:
    """What each job wrote into its step summaries."""
    found: dict[str, str] = {}
    for entry in log:
        if entry.get("command") == "summary":
            name = job_name(entry, workflow)
            found[name] = found.get(name, "") + entry["content"]
    return found
