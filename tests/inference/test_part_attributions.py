"""What patches and stretches added: exact for a model whose answer is a sum over numbers."""

import numpy as np
import pytest

from dagster_project.inference.part_attributions import attribute_numbers, patches_of, stretches_of
from dagster_project.inference.walks import Columns


def answer(columns: Columns) -> np.ndarray:
    found: np.ndarray = (columns["picture"].sum(axis=1) + columns["size"][:, 0]).reshape(-1, 1)
    return found


def test_each_patch_is_told_what_it_added() -> None:
    owners, sides = patches_of((9, 8, 1))
    assert sides == (7, 7) and owners.shape == (72,) and sorted(set(owners.tolist())) == list(range(49))
    picture = np.arange(72, dtype=np.float32).reshape(1, -1)
    row = {"picture": picture, "size": np.array([[5.0]], np.float32)}
    found = attribute_numbers(answer, row, "picture", owners, np.full(72, 2.0))
    due = np.bincount(owners, weights=picture[0] - 2.0)
    assert found.values[:, 0] == pytest.approx(due, abs=1e-3)
    assert found.base.tolist() == [149.0] and found.base[0] + found.values.sum() == pytest.approx(answer(row)[0, 0])


def test_colours_of_a_pixel_are_of_one_patch() -> None:
    owners, sides = patches_of((2, 3, 3))
    assert sides == (2, 3) and owners.reshape(6, 3).tolist() == [[place] * 3 for place in range(6)]


@pytest.mark.parametrize(("steps", "count"), [(3, 3), (24, 24), (72, 24), (100, 24)])
def test_stretches_cover_a_window_in_order(steps: int, count: int) -> None:
    owners = stretches_of(steps)
    assert (
        owners.shape == (steps,) and (np.diff(owners) >= 0).all() and sorted(set(owners.tolist())) == list(range(count))
    )
