"""Labels replayed, shuffled and reconciled by a process that is killed again and again, against one quiet run."""

import random
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl

from dagster_project.monitoring.reconcile import reconcile
from dagster_project.monitoring.tables import answered_with_truth, answers, outcomes
from dagster_project.monitoring.watched import Watched
from tests.monitoring.logged import label, log, logged, tell
from tests.monitoring.reviewed import NOW
from tests.monitoring.test_reconcile import sent_only

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Tables:
    """What both runs must agree on: every row of both tables, and what is measured on them."""

    answers: pl.DataFrame
    outcomes: pl.DataFrame
    accuracy: float
    labelled: int

    def equal(self, other: "Tables") -> bool:
        """Whether nothing differs."""
        same = self.answers.equals(other.answers) and self.outcomes.equals(other.outcomes)
        return same and (self.accuracy, self.labelled) == (other.accuracy, other.labelled)


def tables(here: Watched) -> Tables:
    """All of it in an order that says nothing of when a row came."""
    rows = answered_with_truth(here).filter(pl.col("truth").is_not_null()).select("label", "truth").collect()
    return Tables(
        answers=answers(here).sort("row_id").collect(),
        outcomes=outcomes(here).drop("recorded").sort("row_id", "event").collect(),
        accuracy=float((rows["label"] == rows["truth"]).mean() or 0.0),  # type: ignore[arg-type]
        labelled=rows.height,
    )


def world(rows: int, seed: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Answers, and labels of most of them: some corrected, some of nothing, some by the contract's id."""
    chance = random.Random(seed)
    answered = [logged(number, day=chance.uniform(0, 28), chance=chance.random()) for number in range(rows)]
    said = []
    for number in chance.sample(range(rows), int(rows * 0.9)):
        said.append(label(number, chance.choice(("true", "false")), by_id=chance.random() < 0.3))
        if chance.random() < 0.1:
            said.append(label(number, chance.choice(("true", "false")), hours=chance.uniform(25, 600)))
    return answered, [*said, *(label(rows + number) for number in range(rows // 100))]


def quiet(folder: Path, answered: Sequence[dict[str, Any]], said: Sequence[dict[str, Any]]) -> Tables:
    """Everything in order, once."""
    here = sent_only(folder)
    log(here, *answered)
    tell(here, *said)
    reconcile(here, NOW)
    return tables(here)


def tormented(
    folder: Path, answered: Sequence[dict[str, Any]], said: Sequence[dict[str, Any]], kills: int, seed: int
) -> tuple[Tables, int]:
    """In disorder, some twice, by processes that are killed amid their work; and how many of them were."""
    here, chance, killed = sent_only(folder), random.Random(seed), 0
    every = [*said, *chance.sample(said, len(said) // 2)]
    parts, size = [list(answered), every], max(1, len(every) // 12)
    for part in parts:
        chance.shuffle(part)
    for first in range(0, len(every), size):
        tell(here, *every[first : first + size])
        if part := answered[first : first + size]:
            log(here, *part)
        if killed < kills:
            killed += _killed(folder, size, chance.randint(1, 15))
    log(here, *answered[len(every) + size :] or [logged(0, model="other")])
    reconcile(here, NOW + timedelta(hours=1))
    return tables(here), killed


def _killed(folder: Path, rows: int, files: int) -> bool:
    """Kill a reconciliation once it has written so many files; whether it was still at work."""
    command = [sys.executable, "-m", "tests.monitoring.reconcile_child", str(folder), NOW.isoformat(), str(rows // 3)]
    before = _files(folder)
    process = subprocess.Popen(command, cwd=ROOT)
    while process.poll() is None and _files(folder) < before + files:
        time.sleep(0.001)
    working = process.poll() is None
    process.kill()
    process.wait()
    return working


def _files(folder: Path) -> int:
    return sum(path.is_file() for path in (Path(sent_only(folder).workspace.warehouse) / "monitoring").rglob("*"))
