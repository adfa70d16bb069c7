"""What kind of garment does a picture show? Images, from their contract to a served model."""

from pathlib import Path
from typing import Any

from ci.demo.garments.package import land_garments
from ci.demo.kind import Client, Kind, best_of
from ci.demo.shades import shades


def _ask(repo: Path, client: Client) -> list[str]:
    import polars as pl

    from dagster_project.data.images import decode
    from dagster_project.domain.contract import ImageForm

    rows = pl.read_parquet(repo / "landing/garments/*.parquet").sample(3, seed=3)
    pictures = [decode(data, ImageForm(width=28, height=28, channels=1)) for data in rows["picture"]]
    tensor: dict[str, Any] = {
        "name": "picture", "shape": [len(pictures), 28, 28, 1], "datatype": "UINT8",
        "data": [int(value) for picture in pictures for value in picture.ravel()],
    }  # fmt: skip
    said = zip(pictures, rows["kind"], best_of(client([tensor])), strict=True)
    return [
        line
        for picture, kind, (answer, chance) in said
        for line in [*shades(picture[..., 0]), f"{answer}, {100 * chance:.0f} % (it is: {kind})", ""]
    ]


GARMENTS = Kind(
    model="garment",
    source=Path(__file__).parent,
    title="What kind of garment does the picture show?",
    moral="It passed, the lock was reviewed: the ONNX file takes the pixels as they are and does all the rest itself.",
    land=land_garments,
    ask=_ask,
)
