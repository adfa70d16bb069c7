"""How often an equal replaces the champion, and how often a better challenger does, through the real ``decide``.

Every challenger is compared, asks the budget and is decided on as ``acts judge`` does it. No validation gate holds any
of them back: the worst case, in which all of them reach the holdout. In four of ten rows the label is a coin's, so that
whatever a challenger answers there is worth as much as the champion's answer, however it was chosen.
"""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from dagster_project.domain.decide import Case, decide, rounded
from dagster_project.domain.gates import ChampionGate
from dagster_project.domain.holdout import HoldoutRequest, JudgementRow, ask
from dagster_project.domain.verdict import Measurements, Subject, Verdict
from dagster_project.evaluation.comparison import compare
from dagster_project.inference.predictor import Answers

REPEATS, CHALLENGERS, JUDGEMENTS = 400, 50, 20
NULL_ROWS, POWER_ROWS = 2_000, 10_000
UNDECIDED, DISAGREEMENT = 0.4, 0.1
EXPLORED = 14  # judgements that the attack spends on learning before it combines what it learnt
GATES = (ChampionGate(kind="champion", metric="accuracy"),)
Array = np.ndarray[Any, Any]


@dataclass
class Contest:
    """One holdout and its champion, whose code is 0 everywhere; a challenger is the rows it answers otherwise."""

    labels: Array
    ledger: list[JudgementRow] = field(default_factory=list)
    gains: list[float] = field(default_factory=list)

    def judge(self, flips: Array) -> Verdict | None:
        """The verdict on a challenger; None when the budget is spent. What it truly gained is put in ``gains``."""
        onnx = f"challenger {len(self.ledger)}"
        request = HoldoutRequest(
            model="m", onnx=onnx, holdout="h", rows=len(self.labels), judgements=JUDGEMENTS, renewal=5000, fresh=0
        )
        answer = ask(request, self.ledger)
        if not answer.granted:
            return None
        self.ledger.append(answer.row("m", onnx, "champion", None, None, ""))
        seen = compare(
            "accuracy",
            _answers(flips),
            _answers(np.zeros_like(flips)),
            self.labels,
            rows="holdout",
            significance=answer.use.significance,
            seed=len(self.ledger),
        )
        self.gains.append(rounded(seen).gain)
        case = Case(subject=Subject(kind="model", name="m"), challenger="b", challenger_onnx=onnx, champion="champion")
        return decide(GATES, Measurements(comparisons=(seen,)), case, answer)


def _answers(flips: Array) -> Answers:
    return Answers(classes=(False, True), codes=flips.astype(np.int64))


def _world(generator: np.random.Generator, rows: int) -> tuple[Contest, Array]:
    """Labels that the champion gets right in eight of ten rows, and which rows are undecided."""
    undecided = generator.random(rows) < UNDECIDED
    return Contest(undecided & (generator.random(rows) < 0.5)), undecided


def _random(generator: np.random.Generator, undecided: Array) -> Array:
    return undecided & (generator.random(len(undecided)) < DISAGREEMENT / UNDECIDED)


def independent(seed: int) -> bool:
    """Whether one of fifty equal challengers, made without a look at any report, is promoted."""
    generator = np.random.default_rng(seed)
    contest, undecided = _world(generator, NULL_ROWS)
    verdicts = (contest.judge(_random(generator, undecided)) for _ in range(CHALLENGERS))
    return any(verdict is not None and verdict.promotable for verdict in verdicts)


def adaptive(seed: int, everything: bool) -> bool:
    """Whether a contributor gets an equal promoted who boosts what the report says was good (Blum and Hardt 2015, 4).

    Random challengers are weighed by their published gain on the holdout, and where none is published by whether they
    passed; the rows that the weighted vote flips most are the next challenger, and so on with what it learns.
    ``everything``: as if the report showed the rounded gain of failed challengers too.
    """
    generator = np.random.default_rng(seed)
    contest, undecided = _world(generator, NULL_ROWS)
    vote = np.zeros(NULL_ROWS)
    for attempt in range(CHALLENGERS):
        flips = _random(generator, undecided) if attempt < EXPLORED else _boosted(vote, undecided, generator)
        verdict = contest.judge(flips)
        if verdict is None:
            return False
        if verdict.promotable:
            return True
        shown = [contest.gains[-1]] if everything else [comparison.gain for comparison in verdict.comparisons]
        weight = shown[0] if shown else {"passed": 1.0, "failed": -0.01}[verdict.outcome]
        vote += weight * (flips - flips[undecided].mean()) * undecided
    return False


def _boosted(vote: Array, undecided: Array, generator: np.random.Generator) -> Array:
    """The undecided rows with the most votes, as many as a challenger differs in; ties by lot."""
    chosen = np.lexsort((generator.random(len(vote)), -np.where(undecided, vote, -np.inf)))
    flips = np.zeros(len(vote), dtype=bool)
    flips[chosen[: round(DISAGREEMENT * len(vote))]] = True
    return flips


def powerful(seed: int, gain: float) -> bool:
    """Whether a challenger that is truly better by ``gain``, and differs in a tenth of the rows, is promoted."""
    generator = np.random.default_rng(seed)
    fate = generator.random(POWER_ROWS)
    won, lost = fate < (DISAGREEMENT + gain) / 2, fate > 1 - (DISAGREEMENT - gain) / 2
    verdict = Contest(won.copy()).judge(won | lost)
    return verdict is not None and verdict.promotable


def run() -> dict[str, Any]:
    """Shares of repeats."""
    trials: dict[str, Callable[[int], bool]] = {
        "false_promotion": independent,
        "false_promotion_adaptive": partial(adaptive, everything=False),
        "false_promotion_if_failures_showed_their_gain": partial(adaptive, everything=True),
        "power_one_point": partial(powerful, gain=0.01),
        "power_two_points": partial(powerful, gain=0.02),
    }
    with ProcessPoolExecutor(max_workers=2) as pool:
        shares = {
            name: float(np.mean(list(pool.map(trial, range(REPEATS), chunksize=20)))) for name, trial in trials.items()
        }
    figures = {name: round(share, 4) for name, share in shares.items()}
    false = max(figures["false_promotion"], figures["false_promotion_adaptive"])
    holds = false <= 0.06 and figures["power_one_point"] >= 0.4 and figures["power_two_points"] >= 0.99
    return {
        "what": f"{CHALLENGERS} equal challengers against one holdout of {NULL_ROWS:,} rows, {REPEATS} repeats; "
        f"better challengers against {POWER_ROWS:,} rows, as many",
        "figures": figures,
        "ratio": None,
        "goal": "false promotion in at most 6 % of repeats, adaptive too; power at least 40 % and 99 %",
        "holds": holds,
    }
