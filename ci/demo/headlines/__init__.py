"""Which newsroom wrote a headline? Texts, from their contract to a served model."""

from pathlib import Path

from ci.demo.headlines.package import headlines
from ci.demo.kind import Client, Kind, best_of

ASKED = (
    "Sierra Leone's vice president in quarantine for #Ebola",
    "13 best (and WORST) foods to beat bloat and gas",
    "Tougher Vaccine Law In Calif. Clears First Hurdle",
)
"""Told to the model as a client would."""


def _land(repo: Path, packages: Path) -> None:
    landing = repo / "landing/tweets/healthtweets.csv"
    landing.parent.mkdir(parents=True)
    landing.write_bytes(headlines(packages))


def _ask(repo: Path, client: Client) -> list[str]:
    said = best_of(client([{"name": "headline", "shape": [len(ASKED), 1], "datatype": "BYTES", "data": list(ASKED)}]))
    return [
        line
        for text, (name, chance) in zip(ASKED, said, strict=True)
        for line in (text, f"  {name}, {100 * chance:.0f} %")
    ]


HEADLINES = Kind(
    model="newsroom",
    source=Path(__file__).parent,
    title="Which newsroom wrote this headline?",
    moral="It passed, the lock was reviewed: what cuts and weighs the words is in the ONNX file, and nowhere else.",
    land=_land,
    ask=_ask,
)
