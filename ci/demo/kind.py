"""One model of a kind of data, from the contract to what it answers over HTTP: a pull request, a merge, a client."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ci.demo.server import call, serving
from ci.demo.stage import Chapter, ask_acts, fresh_repository, play_chapter
from ci.options import say
from dagster_project.domain.errors import PASSED


@dataclass(frozen=True)
class Kind:
    """``source`` has the contracts and the spec of ``model``; ``land`` (repository, packages) delivers the rows.

    ``ask`` (repository, a function that sends tensors to the model) is what a client says and hears, in lines.
    """

    model: str
    source: Path
    title: str
    moral: str
    land: Callable[[Path, Path], None]
    ask: Callable[[Path, "Client"], list[str]]


Client = Callable[[list[dict[str, Any]]], dict[str, list[Any]]]
"""Sends the tensors of one request; the model's outputs by name, flat."""


def play_kind(kind: Kind, home: Path, packages: Path) -> None:
    """Play it in ``home``.

    Raises:
        MachineryError: a step did not end as it must.
    """
    started = time.perf_counter()
    repo = fresh_repository(home, kind.source, Path("models") / kind.model / "spec.yaml")
    kind.land(repo, packages)
    chapter = Chapter(kind.title, "first-model", lambda _: None, PASSED, kind.moral)
    play_chapter(repo, 1, chapter, kind.model)
    with serving(repo) as url:
        ask_acts(repo, "deploy", "--commit", "main")
        for line in kind.ask(repo, _client(f"{url}/v2/models/{kind.model}/infer")):
            say(f"  {line}")
    say(f"\nIt took {(time.perf_counter() - started) / 60:.1f} minutes.", "green")
    say(f"The report: {repo}/.acts/reports/latest/report.html. Ask it yourself: acts serve --repo {repo}")


def _client(url: str) -> Client:
    def ask(tensors: list[dict[str, Any]]) -> dict[str, list[Any]]:
        return {output["name"]: output["data"] for output in call(url, {"inputs": tensors})["outputs"]}

    return ask


def best_of(outputs: dict[str, list[Any]]) -> list[tuple[str, float]]:
    """Of each row the label, and how probable the model says it is."""
    chances, rows = outputs["probabilities"], len(outputs["label"])
    width = len(chances) // rows
    best = [max(chances[place : place + width]) for place in range(0, len(chances), width)]
    return list(zip(outputs["label"], best, strict=True))
