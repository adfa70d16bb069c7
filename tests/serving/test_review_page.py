"""The page at ``/review`` as a person who labels uses it, in headless Chromium, on real servers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dagster_project.domain.workspace import Workspace
from dagster_project.monitoring.ingest import ingest
from dagster_project.monitoring.label_table import received_labels
from dagster_project.storage.store import ArtifactStore
from tests.serving import served
from tests.serving.browser import Page, Pipe, browsing, chromium
from tests.serving.review_queues import WIDE, publish, row, row_id
from tests.serving.running import Server, running

Place = tuple[Path, ArtifactStore, str]
TOKEN = "a-token-that-may-label"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipe]:
    path = chromium()
    if path is None:
        pytest.skip("no Chromium is installed (Debian: apt-get install chromium)")
    with browsing(path, tmp_path_factory.mktemp("profile")) as pipe:
        yield pipe


@pytest.fixture
def asking(place: Place) -> Iterator[Server]:
    """A server whose queue has five rows."""
    folder, store, serving = place
    served.publish(store, serving, served.desired(store))
    publish(serving, *(row(number, audit=number == 1) for number in range(1, 6)))
    with running(folder) as server:
        server.wait()
        yield server


@pytest.fixture
def tab(browser: Pipe, asking: Server) -> Iterator[Page]:
    """The page, begun as Ann; nothing may have displeased the browser in the end."""
    made = begun(browser, asking)
    yield made
    assert made.complaints() == []
    made.close()


def begun(browser: Pipe, server: Server, **how: Any) -> Page:
    made = Page(browser, f"{server.url}/review", **how)
    made.call("Page.bringToFront")
    made.until("document.activeElement.id === 'name'")
    type_text(made, "Ann")
    made.press("Enter")
    made.until("!document.querySelector('#row').hidden")
    return made


def type_text(tab: Page, text: str) -> None:
    for letter in text:
        key(tab, letter)


def key(tab: Page, letter: str) -> None:
    """A key of the keyboard, wherever the focus is."""
    common = {"key": letter, "code": f"Key{letter.upper()}", "windowsVirtualKeyCode": ord(letter.upper())}
    tab.call("Input.dispatchKeyEvent", type="keyDown", text=letter, **common)
    tab.call("Input.dispatchKeyEvent", type="keyUp", **common)


def miles(tab: Page) -> int:
    """Which row is shown."""
    return int(tab.text("#shown dd").split()[0])


def until_left(tab: Page, left: int) -> None:
    tab.until_text("#left", f"{left} left")


def kept(server: Server) -> list[tuple[int, str]]:
    """Every label that came, in its order: the row's number and what was said."""
    workspace: Workspace = server.workspace
    ingest(workspace.serving_log, workspace.warehouse)
    found = received_labels(workspace.warehouse).sort("received").select("row_id", "label").collect()
    return [(int(row[-12:], 16), said) for row, said in found.iter_rows()]


def test_rows_are_labelled_skipped_and_undone_from_the_keyboard_alone(tab: Page, asking: Server) -> None:
    assert tab.get("document.activeElement.id") == "question" and tab.text("#question") == "Was the flight late?"
    first = miles(tab)
    key(tab, "2")
    assert tab.get("document.activeElement.value") == "true"
    tab.press("Enter")
    until_left(tab, 4)
    second = miles(tab)
    assert tab.text("#said") == "Labelled true." and tab.get("document.activeElement.id") == "question"
    key(tab, "s")
    until_left(tab, 3)
    third = miles(tab)
    key(tab, "1")
    key(tab, "2")
    tab.press("Enter")
    until_left(tab, 2)
    key(tab, "u")
    tab.until(f"document.querySelector('#shown dd').innerText.startsWith('{third}')")
    assert tab.get("document.querySelector('#answer :checked').value") == "true"
    key(tab, "1")
    tab.press("Enter")
    until_left(tab, 2)
    assert tab.text("#left") == "2 left, 2 labelled by you"
    for left in (1, 0):
        key(tab, "1")
        tab.press("Enter")
        until_left(tab, left)
    tab.until_text("#done", "Nothing is left to label.")
    assert tab.get("document.activeElement.id") == "nothing"
    said = kept(asking)
    assert said[:3] == [(first, "true"), (third, "true"), (third, "false")] and len(said) == 5
    assert len({first, second, third}) == 3 and second not in [number for number, _ in said]


def test_a_skip_is_undone_and_the_row_labelled(tab: Page, asking: Server) -> None:
    first = miles(tab)
    tab.click("#skip")
    until_left(tab, 4)
    tab.click("#undo")
    assert miles(tab) == first
    tab.click("#answer label")
    tab.click("#confirm")
    until_left(tab, 4)
    assert kept(asking) == [(first, "false")]


def test_the_tab_key_reaches_everything_and_each_has_a_name(tab: Page) -> None:
    named = "(one => one.labels?.[0]?.innerText.trim() || one.innerText.trim())(document.activeElement)"
    seen = []
    for _ in range(6):
        tab.press("Tab")
        seen.append(tab.get(named).split("\n")[0])
    assert seen[0].startswith("false") and [name.split()[0] for name in seen[1:]][:3] == [
        "Confirm",
        "Skip",
        "Single-key",
    ]  # fmt: skip  Undo has nothing to undo yet
    nameless = """[...document.querySelectorAll('input, select, button, a')].filter((one) =>
        !(one.labels?.length || one.getAttribute('aria-label') || one.innerText.trim()))"""
    assert tab.get(f"{nameless}.map((one) => one.outerHTML)") == []
    assert tab.get("document.querySelector('#answer legend').innerText") == "Your answer"
    assert tab.get("[at('said').getAttribute('role'), at('trouble').getAttribute('role')]") == ["status", "alert"]


def test_single_keys_can_be_turned_off(tab: Page) -> None:
    tab.click("#keys")
    key(tab, "s")
    key(tab, "2")
    assert not tab.get("document.querySelector('#answer :checked')") and tab.text("#left").startswith("5 left")


def test_nothing_chosen_is_said_and_nothing_sent(tab: Page, asking: Server) -> None:
    tab.press("Enter")
    tab.until_text("#trouble", "Choose an answer first.")
    assert tab.get("document.activeElement.type") == "radio" and kept(asking) == []


def test_rows_and_contracts_are_shown_as_text_and_the_answer_not_at_all(tab: Page) -> None:
    shown = [line for line in tab.text("#shown").split("\n") if line]
    assert shown[:3] == ["miles", f"{miles(tab)} mi", "how far"] and shown[3:5] == ["seats", "missing"]
    assert "<img src=x>" in shown and "<b>who</b> flies" in shown
    assert tab.get("document.querySelectorAll('main img, main b:not(#token b)').length") == 0
    drawn = "document.querySelector('#shown canvas').getContext('2d').getImageData(0, 0, 3, 2).data"
    assert tab.get(f"[...{drawn}].filter((_, place) => place % 4 === 1)") == WIDE["gate"]
    heights = tab.get("[...document.querySelectorAll('.course i')].map((bar) => parseFloat(bar.style.height))")
    assert heights == pytest.approx([8, 0, 100, 8 + 92 / 3]) and "1.5 to 3, the last 2" in shown
    body = tab.get("document.body.innerText")
    assert "audit" not in body and "probab" not in body


def test_a_label_that_the_server_did_not_take_is_there_to_be_sent_again(browser: Pipe, place: Place) -> None:
    folder, store, serving = place
    served.publish(store, serving, served.desired(store))
    publish(serving, row(1), row(2))
    with running(folder) as server:
        server.wait()
        tab = begun(browser, server)
    key(tab, "2")
    tab.press("Enter")
    tab.until_text("#trouble", "The server does not answer.")
    assert tab.get("document.querySelector('#answer :checked').value") == "true"
    tab.close()


def test_a_token_is_asked_for_and_says_who_it_is(place: Place, browser: Pipe) -> None:
    folder, store, serving = place
    served.publish(store, serving, served.desired(store))
    publish(serving, row(1))
    with running(folder, environment={"ACTS_TOKENS": f"label:{TOKEN}"}) as server:
        server.wait()
        tab = Page(browser, f"{server.url}/review")
        tab.until("document.activeElement.id === 'bearer'")
        tab.write("#bearer", TOKEN)
        tab.press("Enter")
        tab.until_text("#person", "as ACTS_TOKENS[1]")
        key(tab, "1")
        tab.press("Enter")
        tab.until_text("#done", "Nothing is left")
        kept = tab.get("JSON.stringify([localStorage, sessionStorage, document.cookie, document.body.outerHTML])")
        assert TOKEN not in kept and tab.complaints() == []
        tab.close()


def test_numbers_are_written_and_letters_still_skip(browser: Pipe, place: Place) -> None:
    folder, store, serving = place
    served.publish(store, serving, numbers(store))
    publish(serving, row(1), row(2))
    with running(folder) as server:
        server.wait()
        tab = begun(browser, server)
        first = miles(tab)
        tab.press("Tab")
        for text in ("12..5", "1e999", ""):
            tab.get("trouble('')")
            tab.write("#number", text)
            tab.press("Enter")
            tab.until_text("#trouble", "Write a number first.")
        tab.write("#number", "-12.5")
        tab.press("Enter")
        until_left(tab, 1)
        tab.press("Tab")
        key(tab, "s")
        tab.until_text("#done", "Nothing is left")
        tab.close()
        workspace = server.workspace
    ingest(workspace.serving_log, workspace.warehouse)
    found = received_labels(workspace.warehouse).select("row_id", "label", "value", "who").collect()
    assert found.rows() == [(row_id(first), None, -12.5, "Ann")]


def numbers(store: ArtifactStore) -> Any:
    """The champion with a number for an answer."""
    from onnx import TensorProto, helper

    put = helper.make_tensor_value_info
    inputs = [put("miles", TensorProto.FLOAT, ["rows", 1])]
    nodes = [helper.make_node("Identity", ["miles"], ["value"])]
    made = helper.make_graph(nodes, "delays", inputs, [put("value", TensorProto.FLOAT, ["rows", 1])])
    opsets = [helper.make_opsetid("", 18)]
    data = helper.make_model(made, opset_imports=opsets, ir_version=9).SerializeToString()
    reference = msgspec.json.decode(served.reference().to_json())
    examples = [{"inputs": {"miles": 1.0}, "outputs": {"value": 1.0}}]
    beside = type(served.reference()).model_validate(
        {**reference, "examples": examples, "background": {"miles": [1.0, 2.0]}}
    )
    bundle = served.keep(
        store, data, beside, served.INPUTS[:1], task="regression", classes=(), outputs=("value",), target="late"
    )
    return served.champion(store, "delays", data, bundle, served.INPUTS[:1]).model_copy(update={"task": "regression"})


def test_a_phone_needs_not_scroll_sideways(browser: Pipe, asking: Server, tmp_path: Path) -> None:
    for dark in (False, True):
        tab = begun(browser, asking, width=390, height=800, dark=dark)
        assert tab.get("document.documentElement.scrollWidth") == 390
        red = int(tab.get("getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]"))
        assert (red < 60) if dark else (red > 200)
        tab.close()
