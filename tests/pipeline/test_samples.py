"""A few images and windows of a dataset, drawn for whoever looks at its asset."""

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image

from dagster_project.data.datasets import materialise
from dagster_project.factories.dataset_metadata import dataset_metadata
from dagster_project.factories.plots import contact_sheet, lines
from tests.modalities.pictures import CONTRACT, digits
from tests.pipeline.small import opened
from tests.trees import edited


def picture(markdown: str) -> np.ndarray:
    """The pixels of what a person sees."""
    data = base64.b64decode(markdown.partition("base64,")[2].rstrip(")"))
    return np.asarray(Image.open(io.BytesIO(data)).convert("L"))


def test_an_asset_shows_some_of_its_images(tmp_path: Path) -> None:
    repo = digits(tmp_path / "repo", spec="")
    head, workspace = opened(repo)
    contract = head.contracts["digits"]
    made = materialise(contract, {}, workspace)
    assert made.snapshot is not None
    shown = dataset_metadata(contract, made.snapshot, made)["picture_samples"].value
    assert shown.startswith("![Some of picture](data:image/png;base64,") and len(np.unique(picture(shown))) > 20


def test_what_is_not_public_is_not_shown(tmp_path: Path) -> None:
    repo = digits(tmp_path / "repo", spec="")
    hidden = edited(
        CONTRACT, ("      - name: picture\n", "      - name: picture\n        classification: confidential\n")
    )
    (repo / "data_contracts/digits.yaml").write_text(hidden)
    head, workspace = opened(repo)
    made = materialise(head.contracts["digits"], {}, workspace)
    assert made.snapshot is not None
    assert "picture_samples" not in dataset_metadata(head.contracts["digits"], made.snapshot, made)


def test_sheets_and_lines_are_pictures() -> None:
    images = [np.full((4, 6, 3), shade, np.uint8) for shade in (0, 100, 200)]
    assert picture(contact_sheet(images, "t")).std() > 10
    assert picture(lines([[1.0, None, 3.0], [2.0, 2.5, None]], "t", "step", "degF")).std() > 10


def test_a_column_says_what_it_holds(tmp_path: Path) -> None:
    from dagster_project.factories.datasets import _other

    head, _ = opened(digits(tmp_path / "repo", spec=""))
    columns = head.contracts["digits"].columns
    assert [_other(column) for column in columns] == [["role id"], ["image 8 x 8 x 1"], ["role label"]]
