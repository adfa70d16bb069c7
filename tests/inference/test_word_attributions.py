"""What each word added: exact for a model whose answer is a sum over words, and the text in its pieces."""

import numpy as np
import pytest

from dagster_project.inference.walks import Columns
from dagster_project.inference.word_attributions import MOST_PIECES, attribute_words, pieces_of

ADDED = {"spam": 0.5, "über": -0.25}


def answer(columns: Columns) -> np.ndarray:
    """Words add what they add, two of them together a little more, and so does another column."""
    said = [str(text).lower() for text in columns["body"].reshape(-1)]
    each = [sum(value for word, value in ADDED.items() if word in text) for text in said]
    both = [0.125 if all(word in text for word in ADDED) else 0.0 for text in said]
    found: np.ndarray = (np.array(each) + both + columns["size"].reshape(-1)).reshape(-1, 1)
    return found


def row(text: str) -> Columns:
    return {"body": np.array([[text]], object), "size": np.array([[1.0]], np.float32)}


def test_each_word_is_told_what_it_added() -> None:
    found = attribute_words(answer, row("Spam, really! über"), "body")
    assert found is not None and found.pieces == ("Spam, ", "really! ", "über")
    assert found.base.tolist() == [1.0], "the answer to no text"
    assert found.values[:, 0] == pytest.approx([0.5 + 0.0625, 0.0, -0.25 + 0.0625], abs=0.02)
    assert found.base[0] + found.values.sum() == pytest.approx(answer(row("Spam, really! über"))[0, 0])
    again = attribute_words(answer, row("Spam, really! über"), "body")
    assert again is not None and (again.values == found.values).all()


@pytest.mark.parametrize("text", ["", "   ", "...!?"])
def test_a_text_without_words_has_nothing_to_tell(text: str) -> None:
    assert attribute_words(answer, row(text), "body") is None


@pytest.mark.parametrize("text", ["one", " (quoted) it's\n 3,5 m² ", "日本語 text", "a " * 1000])
def test_pieces_in_a_row_are_the_text(text: str) -> None:
    pieces = pieces_of(text)
    assert "".join(pieces) == text and 1 <= len(pieces) <= MOST_PIECES
