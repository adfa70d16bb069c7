"""What each pull request of the story changes, as edits of the repository's own declarations."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

MODEL = "late_arrival"
SPEC = Path("models") / MODEL / "spec.yaml"
CONTRACT = Path("data_contracts") / "departures.yaml"
SIMPLE_FEATURES = ["carrier", "origin", "distance", "weekday", "hour"]
REPEATING = ["ConflictingLabels", "DataDuplicates", "TrainTestSamplesMix"]
"""A timetable repeats itself: with these features alone, rows are alike."""
TRIALS = 4
RECENT = "P92D"
WATCHING: dict[str, Any] = {
    # Nothing but what clients send: the year's truth comes through the server, later than the answers.
    "labels": {"on": True, "contract": False, "maturity": "P3D"},
    "performance": {
        "on": True, "window": "P7D", "slices": ["origin"], "bounds": [{"metric": "roc_auc", "minimum": 0.55}],
    },
    "drift": {"on": True, "window": "P28D", "season": ["weekday", "hour"]},
    "explanations": {"on": True, "window": "P28D"},
    "review": {"on": True},
}  # fmt: skip
EXPERIMENTS = {"on": True, "schedule": "0 0 1 * *", "pause": "P20D"}


def first_model(repo: Path) -> None:
    """A modest start: what stands in the timetable, and logistic regression."""

    def change(spec: dict[str, Any]) -> None:
        spec["features"] = {"include": SIMPLE_FEATURES}
        deepchecks = next(gate for gate in spec["gates"] if gate["kind"] == "deepchecks")
        deepchecks["allow"] += REPEATING
        spec["candidates"] = [{"family": "logistic_regression"}]
        spec["search"]["trials"] = 2

    _edit(repo / SPEC, change)


def better_model(repo: Path, original: str) -> None:
    """The repository's own spec again, weather and planes and trees included, with fewer trials than it has.

    The report also says where the next gain is: more rows, another source, or better labels.
    """
    spec = yaml.safe_load(original)
    spec["search"]["trials"] = TRIALS
    spec["headroom"] = {"on": True}
    _write(repo / SPEC, spec)


def recent_window(repo: Path) -> None:
    """Train on the last three months alone: the newest data must be the best, some say."""

    def change(spec: dict[str, Any]) -> None:
        spec["split"]["window"] = RECENT
        spec.pop("headroom")
        spec["candidates"] = [{"family": "hist_gradient_boosting"}]

    _edit(repo / SPEC, change)


def watched_model(repo: Path) -> None:
    """The repository's own features and one family; everything that watches a champion is on, and experiments are."""

    def change(spec: dict[str, Any]) -> None:
        spec["candidates"] = [{"family": "logistic_regression"}]
        spec["search"]["trials"] = 2
        spec["serving"] = {"log": {"inputs": 1.0}}
        spec["monitoring"] = WATCHING
        spec["experiment"] = EXPERIMENTS

    _edit(repo / SPEC, change)


def year_is_over(repo: Path) -> None:
    """Nothing is watched by itself any more: whoever opens Dagster finds the year as it was."""

    def change(spec: dict[str, Any]) -> None:
        for part in (*spec["monitoring"].values(), spec["experiment"]):
            part["on"] = False

    _edit(repo / SPEC, change)


def broken_contract(repo: Path) -> None:
    """Rename a column that models read, and leave the version as it is."""
    for path, old, new in (
        (repo / CONTRACT, "- name: distance\n", "- name: miles\n"),
        (repo / CONTRACT.with_suffix(".sql"), "AS distance,", "AS miles,"),
    ):
        text = path.read_text()
        if old not in text:
            raise ValueError(f"{path.name}: no '{old.strip()}' to rename")
        path.write_text(text.replace(old, new))


def _edit(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    document = yaml.safe_load(path.read_text())
    change(document)
    _write(path, document)


def _write(path: Path, document: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110))
