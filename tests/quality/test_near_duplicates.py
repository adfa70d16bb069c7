"""Near-duplicates across a split: found in any disguise, and nothing else is."""

import numpy as np
import polars as pl
import pytest

from dagster_project.data.images import encode
from dagster_project.domain.contract import Column, ImageForm, LogicalType
from dagster_project.quality.near_duplicates import measure_near_duplicates, near_duplicates, shingles_of

TEXT = Column(name="note", logical_type=LogicalType.STRING, modality="text")
IMAGE = Column(
    name="picture", logical_type=LogicalType.STRING, modality="image", image=ImageForm(width=20, height=18, channels=1)
)
SAID = [f"{who} said that the {what} of {where} is {how}" for who in ("nobody", "a minister", "my neighbour")
        for what in ("weather", "airport", "mayor", "water") for where in ("Paris", "Ulm", "Kyoto")
        for how in ("late again this year", "better than it was", "a matter of taste")]  # fmt: skip


@pytest.mark.parametrize(
    "disguised",
    [
        SAID[7].upper(),
        f"RT: {SAID[7]} #news",
        SAID[7].replace("said", "sayd").replace("airport", "airpotr"),
        SAID[7][: len(SAID[7]) * 17 // 20],
        SAID[7].replace(" ", "   "),
    ],
)
def test_a_text_is_found_in_disguise(disguised: str) -> None:
    chance = np.random.default_rng(0)
    others = ["".join(chr(97 + c) for c in chance.integers(0, 26, 60)) for _ in range(500)]
    found = near_duplicates(
        pl.Series([*others, disguised]), pl.Series([SAID[7], "something else altogether", "", None]), TEXT
    )
    assert found.tolist() == [True, False, False, False]


def pictures(count: int, seed: int) -> np.ndarray:
    """Blobs of light, none like another."""
    chance = np.random.default_rng(seed)
    y, x = np.mgrid[:18, :20]
    made = np.zeros((count, 18, 20))
    for _ in range(6):
        middle_y, middle_x, width = (chance.uniform(2, 16, (count, 1, 1)) for _ in range(3))
        made += chance.uniform(50, 200, (count, 1, 1)) * np.exp(-((y - middle_y) ** 2 + (x - middle_x) ** 2) / width)
    return np.clip(made, 0, 255)


def files(images: np.ndarray) -> pl.Series:
    return pl.Series([encode(image) for image in np.clip(images, 0, 255).astype(np.uint8)], dtype=pl.Binary)


@pytest.mark.parametrize("disguise", ["noise", "bright", "moved"])
def test_an_image_is_found_in_disguise(disguise: str) -> None:
    chance = np.random.default_rng(1)
    train, judged = pictures(800, 2), pictures(30, 3)
    hidden = {
        "noise": judged[:5] + chance.normal(0, 6, (5, 18, 20)), "bright": judged[:5] * 0.7 + 20,
        "moved": np.roll(judged[:5], 1, axis=2),
    }[disguise]  # fmt: skip
    found = near_duplicates(files(np.concatenate([train, hidden])), files(judged), IMAGE)
    assert found[:5].sum() >= 4 and not found[5:].any()


def test_what_is_blank_or_missing_is_like_nothing() -> None:
    blank = files(np.zeros((2, 18, 20)))
    assert not near_duplicates(blank, pl.concat([blank, pl.Series([None], dtype=pl.Binary)]), IMAGE).any()
    assert len(shingles_of("ab")) == 2 and len(shingles_of("")) == 0


def test_the_share_is_of_the_rows_that_are_looked_at() -> None:
    train, judged = (
        pl.DataFrame({"note": SAID[:50]}),
        pl.DataFrame({"note": [*SAID[48:50], "quite another thing", "so"]}),
    )
    found = measure_near_duplicates(train, judged, [TEXT])
    assert found.value >= 0.5 and found.count == 4 and found.method == "in the train rows, by note"
    nothing = measure_near_duplicates(train, judged, [TEXT.model_copy(update={"modality": None})])
    assert nothing.value == 0.0 and nothing.method == "no text or image is read"
