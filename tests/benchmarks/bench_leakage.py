"""Near-duplicates planted across a split, and models that have learnt shuffled labels: found, and let through."""

import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ci.demo.garments.package import land_garments
from ci.demo.headlines.package import headlines
from dagster_project.data.images import decode, encode
from dagster_project.domain.contract import Column, ImageForm, LogicalType
from dagster_project.domain.gate_findings import check_gate
from dagster_project.domain.gates import BaselineGate
from dagster_project.domain.verdict import Measurements, Outcome
from dagster_project.evaluation.baseline import PRIOR, baseline_gain, prior
from dagster_project.inference.predictor import Answers
from dagster_project.quality.near_duplicates import measure_near_duplicates

PLANTINGS, SHARE, MAXIMUM = 100, 0.05, 0.02
"""So many plantings of such a share of the judged rows, and a gate that lets so much through."""
TRAIN, JUDGED = 4000, 600
PACKAGES = Path(__file__).parents[2] / ".acts/packages"
FORM = ImageForm(width=28, height=28, channels=1)
IMAGE = Column(name="it", logical_type=LogicalType.STRING, modality="image", image=FORM)
TEXT = Column(name="it", logical_type=LogicalType.STRING, modality="text")
Disguise = Callable[[Any, np.random.Generator], Any]


def run() -> dict[str, Any]:
    """Each planting copies one in twenty judged rows to the train rows, disguised; without one nothing is copied."""
    started = time.perf_counter()
    figures: dict[str, Any] = {}
    for name, values, column, disguises in (
        ("headlines", _headlines(), TEXT, (_typos, _capitals, _appended, _cut)),
        ("garments", _garments(), IMAGE, (_noisy, _brighter, _moved, _smaller)),
    ):
        shares = [_planted(values, column, disguises, seed) for seed in range(PLANTINGS)]
        figures[name] = {
            "share as they are, median and most": _span([clean for _, clean in shares]),
            "share planted, least and median": _span([planted for planted, _ in shares], min),
            "planted, found": sum(planted > MAXIMUM for planted, _ in shares),
            "as they are, called leaking": sum(clean > MAXIMUM for _, clean in shares),
        }
    figures["shuffled labels: passed of 300"] = sum(_shuffled(seed) for seed in range(300))
    found = min(figures[name]["planted, found"] for name in ("headlines", "garments"))
    return {
        "what": f"{PLANTINGS} plantings of near-duplicates of {SHARE:.0%} of the judged rows, in texts and in images",
        "figures": {**figures, "minutes": round((time.perf_counter() - started) / 60, 1)},
        "ratio": found,
        "goal": "found in at least 95 of 100; models of shuffled labels pass in at most 1 of 100",
        "holds": found >= 95 and figures["shuffled labels: passed of 300"] <= 3,
    }


def _span(values: list[float], end: Callable[[list[float]], float] = max) -> list[float]:
    return sorted([round(float(np.median(values)), 4), round(end(values), 4)])


def _planted(values: list[Any], column: Column, disguises: tuple[Disguise, ...], seed: int) -> tuple[float, float]:
    """Shares of near-duplicates with and without the planting."""
    chance = np.random.default_rng(seed)
    drawn = chance.choice(len(values), TRAIN + JUDGED, replace=False)
    train, judged = ([values[place] for place in part] for part in (drawn[:TRAIN], drawn[TRAIN:]))
    copied = chance.choice(JUDGED, round(JUDGED * SHARE), replace=False)
    planted = [disguises[place % len(disguises)](judged[place], chance) for place in copied.tolist()]
    kind = pl.Binary if column.image else pl.String

    def share(rows: list[Any]) -> float:
        learnt, asked = (pl.DataFrame({"it": pl.Series(part, dtype=kind)}) for part in (rows, judged))
        return measure_near_duplicates(learnt, asked, [column]).value

    return share(train[len(planted) :] + planted), share(train)


def _headlines() -> list[str]:
    table = pl.read_csv(io.BytesIO(headlines(PACKAGES)))
    bare = pl.col("text").str.replace_all(r"https?://\S+|@\w+", " ").str.replace_all(r"\s+", " ").str.strip_chars()
    found = table.select(bare.alias("it")).unique(maintain_order=True)["it"]
    return [text for text in found.to_list() if len(text) > 20]


def _typos(text: str, chance: np.random.Generator) -> str:
    letters = list(text)
    for place in chance.integers(0, len(letters), max(1, len(letters) // 40)):
        letters[place] = chr(97 + int(chance.integers(26)))
    return "".join(letters)


def _capitals(text: str, _: np.random.Generator) -> str:
    return text.upper()


def _appended(text: str, _: np.random.Generator) -> str:
    return f"RT: {text} #health"


def _cut(text: str, _: np.random.Generator) -> str:
    return text[: len(text) * 17 // 20]


def _garments() -> list[bytes]:
    folder = PACKAGES.parent / "bench-garments"
    if not (folder / "landing/garments").exists():
        land_garments(folder, PACKAGES)
    return pl.read_parquet(folder / "landing/garments/*.parquet")["picture"].to_list()


def _picture(change: Callable[[np.ndarray], np.ndarray], data: bytes) -> bytes:
    changed = change(decode(data, FORM)[..., 0].astype(float))
    return encode(np.clip(changed.round(), 0, 255).astype(np.uint8))


def _noisy(data: bytes, chance: np.random.Generator) -> bytes:
    return _picture(lambda pixels: pixels + chance.normal(0, 6, pixels.shape), data)


def _brighter(data: bytes, _: np.random.Generator) -> bytes:
    return _picture(lambda pixels: pixels * 0.8 + 12, data)


def _moved(data: bytes, chance: np.random.Generator) -> bytes:
    return _picture(lambda pixels: np.roll(pixels, 1, axis=int(chance.integers(2))), data)


def _smaller(data: bytes, _: np.random.Generator) -> bytes:
    """As a JPEG file of middling quality has it."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(decode(data, FORM)[..., 0]).save(file, "JPEG", quality=75)
    return file.getvalue()


def _shuffled(seed: int) -> bool:
    """Whether a linear model of grey fields that has learnt shuffled labels passes the gate of the floor."""
    from sklearn.linear_model import LogisticRegression

    chance = np.random.default_rng(seed)
    rows = chance.normal(size=(1200, 20))
    labels = chance.permutation(rows[:, 0] > 0.5)
    scores = LogisticRegression(C=0.01).fit(rows[:600], labels[:600]).predict_proba(rows[600:])
    answers = Answers(classes=(False, True), codes=scores.argmax(axis=1), scores=scores)
    gain = baseline_gain(answers, prior(answers, labels[:600], 600), labels[600:], "binary", PRIOR, seed)
    told = check_gate(BaselineGate(kind="baseline"), Measurements(values=(gain,)), None, False, 0.05)
    return told.outcome is Outcome.PASSED
