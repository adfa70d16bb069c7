"""Ids of answered rows: UUIDv7, in order, whatever the clock does."""

import itertools
import json
import os
import threading
import time
import uuid

import pytest

from dagster_project.domain.prediction import row_texts, row_texts_json
from dagster_project.serving import row_ids
from dagster_project.serving.row_ids import new_ids

MILLISECOND = 1_000_000


def new_texts(rows: int) -> list[str]:
    """As an answer has them."""
    return row_texts(new_ids(rows), rows)


def test_an_id_is_a_uuid_of_version_7_with_the_time_in_front() -> None:
    before = time.time_ns() // MILLISECOND
    text = new_texts(1)[0]
    found = uuid.UUID(text)
    assert (found.version, found.variant, str(found)) == (7, uuid.RFC_4122, text)
    assert before <= found.int >> 80 <= time.time_ns() // MILLISECOND + 1


def test_ids_of_a_request_are_consecutive() -> None:
    first = new_ids(1000)
    assert row_texts(first, 1000) == [str(uuid.UUID(int=first + row)) for row in range(1000)]


@pytest.mark.parametrize("rows", [1, 100, 9000])
def test_as_json_they_are_the_same(rows: int) -> None:
    first = new_ids(rows)
    assert json.loads(row_texts_json(first, rows)) == row_texts(first, rows)


@pytest.mark.parametrize("step", [0, 1, -MILLISECOND, -3600 * 1000 * MILLISECOND, 10 * MILLISECOND])
def test_ids_rise_whatever_the_clock_does(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(time.time_ns(), time.time_ns() + 3000 * step, step) if step else [time.time_ns()] * 3000)
    monkeypatch.setattr(row_ids.time, "time_ns", lambda: next(clock))
    texts = [text for number in range(3000) for text in new_texts(1 + number % 7)]
    assert all(one < other for one, other in itertools.pairwise(texts))
    assert all(uuid.UUID(text).version == 7 for text in texts[::100])


def test_a_block_never_crosses_the_last_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_ids._counter, "next", (2**47 << 74) | (2**62 - 3))
    before = new_texts(2)[-1]
    first = new_ids(100)
    assert row_texts(first, 100) == [str(uuid.UUID(int=first + row)) for row in range(100)]
    assert before < row_texts(first, 1)[0] and uuid.UUID(int=first + 99).variant == uuid.RFC_4122


def test_threads_never_share_an_id() -> None:
    found: list[list[str]] = [[] for _ in range(4)]

    def take(mine: list[str]) -> None:
        for _ in range(5000):
            mine += new_texts(3)

    threads = [threading.Thread(target=take, args=(mine,)) for mine in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({text for mine in found for text in mine}) == 4 * 5000 * 3
    assert all(mine == sorted(mine) for mine in found)


def test_a_forked_process_makes_other_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    far = (time.time_ns() // MILLISECOND + 3_600_000) << 74  # both would go on counting from here
    monkeypatch.setattr(row_ids._counter, "next", far)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, new_texts(1)[0].encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 100).decode() != new_texts(1)[0]
    os.close(read), os.close(write)
