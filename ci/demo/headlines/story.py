"""Which newsroom wrote a headline? From the contract of a text to a model that answers over HTTP."""

import time
from pathlib import Path
from typing import Any

from ci.demo.headlines.package import headlines
from ci.demo.server import call, serving
from ci.demo.stage import Chapter, ask_acts, fresh_repository, play_chapter
from ci.options import say
from dagster_project.domain.errors import PASSED

MODEL, INPUT = "newsroom", "headline"
SPEC = Path("models") / MODEL / "spec.yaml"
ASKED = (
    "Sierra Leone's vice president in quarantine for #Ebola",
    "13 best (and WORST) foods to beat bloat and gas",
    "Tougher Vaccine Law In Calif. Clears First Hurdle",
)
"""Told to the model as a client would."""


def play_headlines(home: Path, packages: Path) -> None:
    """Play it in ``home``.

    Raises:
        MachineryError: a step did not end as it must.
    """
    started = time.perf_counter()
    repo = fresh_repository(home, Path(__file__).parent, SPEC)
    landing = repo / "landing/tweets/healthtweets.csv"
    landing.parent.mkdir(parents=True)
    landing.write_bytes(headlines(packages))
    play_chapter(repo, 1, FIRST, MODEL)
    with serving(repo) as url:
        ask_acts(repo, "deploy", "--commit", "main")
        for text, (name, chance) in zip(ASKED, answers(url, ASKED), strict=True):
            say(f"  {text}\n    {name}, {100 * chance:.0f} %")
    say(f"\nIt took {(time.perf_counter() - started) / 60:.1f} minutes.", "green")
    say(f"The report: {repo}/.acts/reports/latest/report.html. Ask it yourself: acts serve --repo {repo}")


def answers(url: str, texts: tuple[str, ...]) -> list[tuple[str, float]]:
    """The model's answer to each text, and how probable it says that is."""
    tensor = {"name": INPUT, "shape": [len(texts), 1], "datatype": "BYTES", "data": list(texts)}
    said: dict[str, Any] = call(f"{url}/v2/models/{MODEL}/infer", {"inputs": [tensor]})
    found = {output["name"]: output for output in said["outputs"]}
    width = found["probabilities"]["shape"][1]
    chances = found["probabilities"]["data"]
    best = [max(chances[place : place + width]) for place in range(0, len(chances), width)]
    return list(zip(found["label"]["data"], best, strict=True))


FIRST = Chapter(
    title="Which newsroom wrote this headline?",
    branch="first-model",
    change=lambda repo: None,
    exit_code=PASSED,
    moral="It passed, the lock was reviewed: what cuts and weighs the words is in the ONNX file, and nowhere else.",
)
