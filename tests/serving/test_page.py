"""The page at ``/`` as a person uses it, in headless Chromium; first beside canned answers, then on the real server."""

import re
from collections.abc import Iterator
from importlib.resources import files

import numpy as np
import pytest

from dagster_project.serving.page import MODELS, REVIEW
from dagster_project.serving.page import Page as Sent
from dagster_project.storage.store import ArtifactStore
from tests.serving import served
from tests.serving.browser import Page, Pipe, browsing, chromium
from tests.serving.page_server import HOSTILE, ROW, Canned, canned, digest, model, version
from tests.serving.running import Server, running

ANSWER, EXPLAIN = "#form button.main", "#form button.main + button"
PROBLEMS = "#form [role=alert]"
FIELD = {name: f"#flights-{place}" for place, name in enumerate([*ROW, "flight"])}
AGAIN = "document.dispatchEvent(new Event('visibilitychange'))"
TOKEN = "a-token-that-may-infer"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipe]:
    path = chromium()
    if path is None:
        pytest.skip("no Chromium is installed (Debian: apt-get install chromium)")
    with browsing(path, tmp_path_factory.mktemp("profile")) as pipe:
        yield pipe


@pytest.fixture
def app() -> Iterator[Canned]:
    with canned() as made:
        yield made


@pytest.fixture
def tab(browser: Pipe, app: Canned) -> Iterator[Page]:
    """The page with its model drawn; nothing may have displeased the browser in the end."""
    made = Page(browser, app.url)
    made.until("document.querySelector('#form button')")
    yield made
    assert made.complaints() == []
    made.close()


@pytest.mark.parametrize(("name", "sent"), [("page.html", MODELS), ("review.html", REVIEW)])
def test_a_page_needs_nothing_from_elsewhere(name: str, sent: Sent) -> None:
    text = sent.body.decode()
    assert sent.body == files("dagster_project.serving").joinpath(name).read_bytes()
    assert not re.search(r"\ssrc=|@import|url\(|\sstyle=|\son[a-z]+=\"|innerHTML", text)
    assert all(link.startswith(("/", "#", "data:")) for link in re.findall(r'\shref="([^"]*)', text))
    assert text.count("<script>") == text.count("<style>") == text.count("</script>") == 1
    assert b"unsafe" not in sent.policy and len(re.findall(rb"'sha256-[A-Za-z0-9+/]{43}='", sent.policy)) == 2


def test_every_model_is_listed_with_where_its_versions_stand(browser: Pipe, app: Canned) -> None:
    shadowed = [version(digest("a"), "live", 1200), version(digest("7"), "shadow", 1)]
    app.models = {
        "broken": {"error": "the bundle has no reference.json", "versions": []},
        "coming": {"error": None, "versions": []},
        "flights": model(versions=shadowed),
        "refused": model(error="rejected: too slow"),
    }
    tab = Page(browser, f"{app.url}#/broken")
    tab.until_text("#head", "Not served: the bundle has no reference.json")
    assert tab.text("#models").split("\n") == [
        "broken", "not served", "coming", "loading", "flights", "live, shadow on its way", "multiclass",
        "refused", "live, new version refused", "multiclass",
    ]  # fmt: skip
    assert tab.text("#health") == "not ready" and not tab.get("document.querySelector('#try').offsetParent")
    tab.click("#models li:nth-child(3) button")
    tab.until_text("#head", "1,200 answers so far")
    assert "shadow\n777777777777 copy\n1 answer so far" in tab.text("#head .versions")
    tab.click("#models li:nth-child(4) button")
    tab.until_text("#head", "The newest version is not served: rejected: too slow")
    assert tab.get("location.hash") == "#/refused"
    tab.close()


def test_what_contributors_write_is_shown_as_text(tab: Page) -> None:
    assert HOSTILE in tab.text("#head")
    assert "<b>owners</b>, others" in tab.text("#head")
    tab.click(ANSWER)
    tab.until_text(".result", "on <i>time</i>")
    assert tab.get("typeof hacked") == "undefined"
    assert tab.get("document.querySelectorAll('img, main script, main b, main i:not([class])').length") == 0


def test_the_policy_lets_nothing_else_run(browser: Pipe, app: Canned) -> None:
    tab = Page(browser, app.url)
    tab.get("document.head.append(Object.assign(document.createElement('style'), {textContent: 'a {color: red}'}))")
    refused = "(() => { try { document.body.innerHTML = '<p>'; } catch (error) { return error.name; } })()"
    assert tab.get(refused) == "TypeError"
    assert tab.get("fetch('http://127.0.0.1:9/').then(() => 'sent', (error) => error.name)") == "TypeError"
    assert len([text for text in tab.complaints() if "Content Security Policy" in text]) >= 3
    tab.close()


def test_card_and_lock(tab: Page) -> None:
    rows = [line.split("\t") for line in tab.text("#card table").split("\n") if "\t" in line]
    cells = {cells[0]: [cell.strip() for cell in cells] for cells in rows}
    assert list(cells)[:3] == ["Column", "distance", "carrier"]  # by importance
    assert cells["distance"][1:3] == ["number, required", "0.1 to 5,000"]
    assert cells["carrier"][1:3] == ["string, required", "AA, UA, 9É"]
    assert cells["profile"][2] == "at most 9, 3 values" and cells["engines"][2] == "1, 2, 4"
    assert "Restricted" in cells["salary"][3] and "75.0 %" in tab.text("#card")
    width = "document.querySelector('#card tbody tr:nth-child({}) .bar i').style.width"
    assert [tab.get(width.format(place)) for place in (1, 2, 3)] == ["100%", "33.3333%", "0%"]
    lock = tab.text("#lock")
    for text in ("random_forest", "max_depth 7", "roc_auc", "0.7123", "0.6 to 0.8", "aaaaaaaaaaaa", "444444444444"):
        assert text in lock
    assert tab.get("document.querySelector('#lock code[title]').title") == "2" * 40


def test_a_digest_is_copied_whole(tab: Page, browser: Pipe) -> None:
    browser.call("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    tab.call("Page.bringToFront")
    tab.click("#lock [aria-label*='onnx']")
    tab.until_text("#lock [aria-label*='onnx']", "copied")
    assert tab.get("navigator.clipboard.readText()") == digest("a")


def test_an_example_is_sent_as_it_is_and_answered(tab: Page, app: Canned) -> None:
    assert tab.get(f"document.querySelector('{FIELD['distance']}').value") == "12.3"  # not float32's 12.300000190734863
    tab.click(ANSWER)
    tab.until_text(".result", "0192-row")
    ((path, request),) = app.requests
    assert path == "/v2/models/flights/infer" and request.ids is None
    sent = {name: column.ravel().tolist() for name, column in request.columns.arrays().items()}
    assert (sent["carrier"], sent["remark"]) == (["9É"], [""])
    assert (sent["distance"], sent["engines"], sent["windy"]) == ([ROW["distance"]], [4.0], [1.0])
    assert np.isnan([*sent["humid"], *sent["salary"], *sent["profile"]]).all() and len(sent["profile"]) == 3
    result = tab.text(".result").replace("\n", " ")
    assert "early" in result and "late 25.0 %" in result and "early 62.5 %" in result and "aaaaaaaaaaaa" in result


def test_what_is_typed_is_sent(tab: Page, app: Canned) -> None:
    for name, text in {"distance": "70.5", "remark": "häh", "profile": "1, ,3", "flight": "mine", "seats": ""}.items():
        tab.write(FIELD[name], text)
    for name, choice in {"engines": "2", "windy": "false", "carrier": "UA"}.items():
        tab.choose(FIELD[name], choice)
    tab.click(ANSWER)
    tab.until_text(".result", "0192-row")
    request = app.requests[-1][1]
    sent = {name: column.ravel().tolist() for name, column in request.columns.arrays().items()}
    assert (sent["distance"], sent["remark"], sent["carrier"]) == ([70.5], ["häh"], ["UA"])
    assert (sent["engines"], sent["windy"], request.ids) == ([2.0], [0.0], ["mine"])
    assert sent["profile"][::2] == [1.0, 3.0] and np.isnan([sent["profile"][1], *sent["seats"]]).all()


def test_the_server_s_words_stand_beside_the_columns_they_name(tab: Page) -> None:
    tab.write(FIELD["distance"], "9999")
    tab.choose(FIELD["carrier"], "choose")
    tab.click(ANSWER)
    tab.until(f"!document.querySelector('{PROBLEMS}').hidden")
    assert "'distance': row 0 (9999) is above the maximum 5000" in tab.text(PROBLEMS)
    assert tab.text(f"{FIELD['distance']}-wrong") == "(9999) is above the maximum 5000"
    assert "missing, but the column is required" in tab.text(f"{FIELD['carrier']}-wrong")
    assert tab.get("document.activeElement.id") == FIELD["carrier"][1:]
    assert tab.get("[...document.querySelectorAll('[aria-invalid]')].map((one) => one.id)") == [
        "flights-0",
        "flights-2",
    ]
    tab.choose("#flights-examples", "example 2: answered early")
    assert not tab.get("document.querySelectorAll('[aria-invalid]').length")
    assert tab.get(f"document.querySelector('{FIELD['carrier']}').selectedOptions[0].text") == "AA"


def test_what_is_no_number_is_not_sent_as_missing(tab: Page, app: Canned) -> None:
    tab.write(FIELD["profile"], "1,two,3")
    tab.click(ANSWER)
    tab.until_text(PROBLEMS, "'profile': is no number")
    assert app.requests == []


def test_an_explanation_shows_what_added_most_first(tab: Page, app: Canned) -> None:
    tab.click(EXPLAIN)
    tab.until_text(".result", "Explanation")
    assert app.requests[-1][0] == "/v2/models/flights/explain"
    assert tab.get("document.querySelector('.choice select').selectedOptions[0].text") == "probability of early"
    bars = tab.get("[...document.querySelectorAll('.result .bars .name')].map((one) => one.innerText)")
    names = list(app.requests[-1][1].columns.arrays())
    assert [bar.split(" ")[0] for bar in bars] == names[:0:-1]
    assert "Training rows are answered 0.5 on average, this row 0.625." in tab.text(".result")
    first = tab.text(".result .bars li").split("\n")
    assert first[1] == f"+0.0{len(names) - 1}00 ± 0.00{len(names) - 1}0"
    assert f"Nothing: {names[0]}" in tab.text(".result")
    side = "[...document.querySelectorAll('.result .bar i')].slice(0, 2).map((one) => [one.style.left, one.className])"
    assert tab.get(side)[0] == ["50%", "up"] and tab.get(side)[1][1] == "down"
    tab.choose(".choice select", "probability of late")
    tab.until("document.querySelectorAll('.result .bar').length === 0")


def test_words_are_marked_by_what_they_added(tab: Page, app: Canned) -> None:
    added = [[0.0, 0.0, 0.2], [0.0, 0.0, -0.1], [0.0, 0.0, 0.0]]
    app.words = {
        "words": {"remark": {"pieces": ["long, ", "<b>road</b> ", "home"], "attributions": added, "base": [0] * 3}}
    }
    tab.click(EXPLAIN)
    tab.until_text(".texts", "remark: long,")
    assert "<b>road</b>" in tab.text(".texts") and tab.get("document.querySelector('.texts b')") is None
    words = "[...document.querySelectorAll('.word')].map((one) => [one.className, one.title, one.style.cssText])"
    assert tab.get(words) == [
        ["word up", "+0.2000", "--much: 45%;"],
        ["word down", "−0.1000", "--much: 23%;"],
        ["word up", "+0.0000", "--much: 0%;"],
    ]
    tab.choose(".choice select", "probability of late")
    assert tab.get(words)[0] == ["word up", "+0.0000", "--much: 0%;"]


def test_the_keyboard_is_enough(tab: Page, app: Canned) -> None:
    tab.call("Page.bringToFront")
    tab.press("Tab")
    assert tab.get("document.activeElement.innerText") == "Skip to the model"
    tab.press("Enter")
    seen = []
    while not seen or seen[-1] != "Explain":
        tab.press("Tab")
        seen.append(
            tab.get("(one => one.labels?.[0]?.innerText.split('\\n')[0] || one.innerText)(document.activeElement)")
        )
        assert len(seen) < 40, seen
    assert seen[seen.index("Start from") + 1 :] == [*ROW, "flight", "Answer", "Explain"]
    tab.press("Tab", shift=True)
    tab.press("Enter")
    tab.until_text(".result", "0192-row")
    assert tab.get("document.activeElement.innerText") == "Answer"


def test_every_control_has_a_name(tab: Page) -> None:
    nameless = """[...document.querySelectorAll('input, select, textarea, button, a')].filter((one) =>
        !(one.labels?.length || one.getAttribute('aria-label') || one.innerText.trim() || one.closest('[hidden]')))"""
    assert tab.get(f"{nameless}.map((one) => one.outerHTML)") == []


def test_a_new_version_leaves_what_is_typed_alone(tab: Page, app: Canned) -> None:
    tab.click(ANSWER)
    tab.until_text(".result", "0192-row")
    tab.write(FIELD["distance"], "77")
    assert tab.text(".result").startswith("The row has changed since.")
    app.models = {"flights": model(digest("8")), "new": {"error": None, "versions": []}}
    tab.get(AGAIN)
    tab.until_text("#lock", "888888888888")
    assert "new" in tab.text("#models") and "0192-row" in tab.text(".result")
    assert tab.get("[document.activeElement.id, document.activeElement.value]") == [FIELD["distance"][1:], "77"]
    fewer = model(digest("9"))
    fewer["desired"]["inputs"] = [entry for entry in fewer["desired"]["inputs"] if entry["name"] != "carrier"]
    app.models = {"flights": fewer}
    tab.get(AGAIN)
    tab.until(f"!document.querySelector('{FIELD['flight']}')")
    assert tab.get("document.querySelector('#flights-1').value") == "77"


def test_a_text_has_room_and_is_sent_as_it_is_typed(tab: Page, app: Canned) -> None:
    longer = model(digest("8"))
    remark = next(entry for entry in longer["desired"]["inputs"] if entry["name"] == "remark")
    remark |= {"modality": "text", "max_length": 500}
    app.models = {"flights": longer}
    tab.get(AGAIN)
    tab.until(f"document.querySelector('{FIELD['remark']}').tagName === 'TEXTAREA'")
    widths = "[...document.querySelectorAll('.field')].map((field) => field.offsetWidth)"
    assert tab.get(
        f"Math.max(...{widths}) === document.querySelector('{FIELD['remark']}').closest('.field').offsetWidth"
    )
    tab.write(FIELD["remark"], "a, b;")
    tab.click(ANSWER)
    tab.until_text(".result", "0192-row")
    assert app.requests[-1][1].columns.arrays()["remark"].tolist() == [["a, b;"]]


def test_a_look_that_brings_nothing_new_changes_nothing(tab: Page, app: Canned) -> None:
    tab.choose("#flights-examples", "example 2: answered early")
    tab.get("document.querySelector('#lock [data-key]').focus(); kept = document.activeElement")
    before = app.looks
    tab.get(AGAIN)
    tab.get("fetch('/status')")  # answered after the look
    assert app.looks >= before + 2 and tab.get("kept === document.activeElement && kept.isConnected")
    assert tab.get("document.querySelector('#flights-examples').value") == "1"


def test_it_looks_again_by_itself(tab: Page, app: Canned) -> None:
    before = app.looks
    app.models = {"flights": model(versions=[version(digest("a"), "live", 4321)])}
    tab.until_text("#head", "4,321 answers", seconds=8)
    assert app.looks - before <= 3


def test_a_phone_needs_not_scroll_sideways(browser: Pipe, app: Canned) -> None:
    for dark in (False, True):
        tab = Page(browser, app.url, width=390, height=800, dark=dark)
        tab.until("document.querySelector('#form button')")
        tab.click(ANSWER)
        tab.until_text(".result", "0192-row")
        assert tab.get("document.documentElement.scrollWidth") == 390
        red = int(tab.get("getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]"))
        assert (red < 60) if dark else (red > 200)
        tab.close()


def test_a_row_on_the_real_server(server: Server, browser: Pipe) -> None:
    tab = Page(browser, server.url)
    tab.until_text("#head", "late or not")
    tab.write("#delays-0", "250")
    tab.choose("#delays-2", "é")
    tab.click(ANSWER)
    chance = served.late(250, 0.0, "é")
    tab.until_text(".result", f"{100 * chance:.1f} %")
    assert re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-", tab.text(".result"))
    tab.click(EXPLAIN)
    tab.until_text(".result", "Explanation")
    base, answer = map(float, re.findall(r"answered ([\d.]+) on average, this row ([\d.]+)\.", tab.text(".result"))[0])
    added = [text.replace("−", "-") for text in re.findall(r"[+−][\d.]+", tab.text(".result"))]
    assert answer == pytest.approx(chance, abs=1e-3)
    assert base + sum(map(float, added)) == pytest.approx(answer, abs=2e-3)
    tab.write("#delays-0", "-3")
    tab.click(EXPLAIN)
    tab.until_text("#delays-0-wrong", "below the minimum 0")
    assert tab.complaints() == []
    tab.close()


def test_a_token_is_asked_for_and_kept_in_memory_alone(place: tuple[object, ArtifactStore, str], browser: Pipe) -> None:
    folder, store, serving = place
    served.publish(store, serving, served.desired(store))
    with running(folder, environment={"ACTS_TOKENS": f"infer:{TOKEN}"}) as server:  # type: ignore[arg-type]
        server.wait()
        tab = Page(browser, server.url)
        tab.until("document.activeElement.id === 'bearer'")
        assert tab.text("#health") == "token needed"
        tab.write("#bearer", "another-token-than-that")
        tab.press("Enter")
        tab.until_text("#trouble", "send a known token")
        tab.write("#bearer", TOKEN)
        tab.press("Enter")
        tab.until_text("#head", "late or not")
        assert not tab.get("document.querySelector('#token').offsetParent") and not tab.get("trouble.innerText")
        tab.click(ANSWER)
        tab.until_text(".result", "Answer")
        tab.click(EXPLAIN)
        tab.until_text(PROBLEMS, "it needs the role explain")
        kept = tab.get("JSON.stringify([localStorage, sessionStorage, document.cookie, document.body.outerHTML])")
        assert TOKEN not in kept
        tab.close()


def test_a_server_that_is_gone_is_said_and_what_was_seen_stays(
    place: tuple[object, ArtifactStore, str], browser: Pipe
) -> None:
    folder, store, serving = place
    served.publish(store, serving, served.desired(store))
    with running(folder) as server:  # type: ignore[arg-type]
        server.wait()
        tab = Page(browser, server.url)
        tab.until_text("#health", "ready")
    tab.get(AGAIN)
    tab.until_text("#trouble", "The server does not answer. What is shown is of ")
    assert tab.text("#health") == "unreachable" and "late or not" in tab.text("#head")
    tab.click(ANSWER)
    tab.until_text(PROBLEMS, "The server does not answer.")
    tab.close()
