"""Headless Chromium, driven over a pipe with its own DevTools protocol: nothing to install but the browser.

Source: https://chromedevtools.github.io/devtools-protocol/; messages on the pipe end with a zero byte.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage", "--lang=en-US",
    "--remote-debugging-pipe", "--hide-scrollbars",
)  # fmt: skip
KEYS = {"Tab": 9, "Enter": 13, " ": 32, "ArrowDown": 40, "ArrowUp": 38}


def chromium() -> str | None:
    """Path of the browser; None where none is installed."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Pipe:
    """Commands to the browser, and what it says by itself."""

    def __init__(self, process: "subprocess.Popen[bytes]", commands: int, answers: int) -> None:
        self.process, self.events = process, list[dict[str, Any]]()
        self._commands, self._answers = commands, answers
        self._read, self._last = b"", 0

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """The result of a command; fails with the browser's words."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        message |= {"sessionId": session} if session else {}
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while (answer := self._next(60)).get("id") != self._last:
            assert "id" not in answer
            self.events.append(answer)
        assert "error" not in answer, f"{method}: {answer['error']}"
        return dict(answer["result"])

    def _next(self, seconds: float) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while b"\0" not in self._read:
            ready = select.select([self._answers], [], [], max(0.0, end - time.monotonic()))[0]
            part = os.read(self._answers, 1 << 20) if ready else b""
            assert part, "the browser said nothing more"
            self._read += part
        message, _, self._read = self._read.partition(b"\0")
        return dict(json.loads(message))


class Page:
    """One tab."""

    def __init__(self, pipe: Pipe, url: str, width: int = 1200, height: int = 900, dark: bool = False) -> None:
        self._pipe = pipe
        target = pipe.call("Target.createTarget", url="about:blank")["targetId"]
        self._target = target
        self._session = pipe.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Page.navigate", url=url)
        self.until("document.readyState === 'complete'")

    def close(self) -> None:
        """The tab is gone."""
        self._pipe.call("Target.closeTarget", targetId=self._target)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command of the protocol, to this tab."""
        return self._pipe.call(method, self._session, **parameters)

    def get(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def text(self, selector: str) -> str:
        """What a person reads there."""
        return str(self.get(f"document.querySelector({json.dumps(selector)}).innerText"))

    def until(self, expression: str, seconds: float = 20.0) -> None:
        """Until the expression is true."""
        end = time.monotonic() + seconds
        while not self.get(f"Boolean({expression})"):
            assert time.monotonic() < end, f"never: {expression}\n{self.text('body')}"
            time.sleep(0.02)

    def until_text(self, selector: str, text: str, seconds: float = 20.0) -> None:
        """Until a person reads ``text`` there."""
        self.until(f"document.querySelector({json.dumps(selector)})?.innerText.includes({json.dumps(text)})", seconds)

    def press(self, key: str, shift: bool = False) -> None:
        """A key, as the keyboard sends it."""
        text = {"Enter": "\r", " ": " "}.get(key, "")
        common = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key], "modifiers": 8 if shift else 0}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def write(self, selector: str, text: str) -> None:
        """Replace what stands in a field by typing."""
        self.get(f"(one => {{ one.focus(); one.select(); }})(document.querySelector({json.dumps(selector)}))")
        self.call("Input.insertText", text=text)
        if not text:
            self.get("document.execCommand('delete')")

    def choose(self, selector: str, text: str) -> None:
        """Choose the option with this text, as its list does."""
        options = f"document.querySelector({json.dumps(selector)})"
        found = self.get(f"[...{options}.options].findIndex((one) => one.text === {json.dumps(text)})")
        assert found >= 0, f"{selector} has no option {text!r}"
        events = "one.dispatchEvent(new Event('input', up)); one.dispatchEvent(new Event('change', up));"
        self.get(f"((one, up) => {{ one.selectedIndex = {found}; {events} }})({options}, {{bubbles: true}})")

    def click(self, selector: str) -> None:
        """With the mouse, where a person would."""
        middle = f"""(one => {{ one.scrollIntoView({{block: 'center'}}); const r = one.getBoundingClientRect();
            return [r.x + r.width / 2, r.y + r.height / 2]; }})(document.querySelector({json.dumps(selector)}))"""
        x, y = self.get(middle)
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def picture(self, file: Path) -> None:
        """The whole page as a PNG."""
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        file.write_bytes(base64.b64decode(data))

    def complaints(self) -> list[str]:
        """Uncaught exceptions, and what the browser says of policies and scripts; not answers like 400."""
        self.get("0")
        mine = [event for event in self._pipe.events if event.get("sessionId") == self._session]
        thrown = [str(e["params"]) for e in mine if e["method"] == "Runtime.exceptionThrown"]
        entries = [e["params"]["entry"] for e in mine if e["method"] == "Log.entryAdded"]
        return thrown + [entry["text"] for entry in entries if entry["source"] != "network"]


@contextmanager
def browsing(path: str, profile: Path) -> Iterator[Pipe]:
    """A browser with an empty profile; ended when the block is."""
    to_read, commands = os.pipe()
    answers, to_write = os.pipe()
    # the browser reads from 3 and writes to 4
    inner = f'exec "$0" "$@" 3<&{to_read} 4>&{to_write}'
    process = subprocess.Popen(
        ["bash", "-c", inner, path, *QUIET, f"--user-data-dir={profile}", "about:blank"],
        pass_fds=(to_read, to_write), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "HOME": str(profile)},
    )  # fmt: skip
    os.close(to_read)
    os.close(to_write)
    try:
        yield Pipe(process, commands, answers)
    finally:
        os.close(commands)  # the browser ends when nobody commands it
        os.close(answers)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
