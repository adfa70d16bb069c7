"""What the stand-ins share: the API at GITHUB_API_URL, an action's inputs and outputs, and how it fails."""

import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, NoReturn


def inputs() -> dict[str, str]:
    """The action's inputs, as its action.yml passes them on."""
    return dict(json.loads(os.environ["ACTING_INPUTS"]))


def put_out(**values: object) -> None:
    """Set outputs of the step; ``_`` in a name means ``-``."""
    with Path(os.environ["GITHUB_OUTPUT"]).open("a") as file:
        file.writelines(f"{name.replace('_', '-')}={value}\n" for name, value in values.items())


def fail(message: str) -> NoReturn:
    """End the step as an action does."""
    sys.exit(f"::error::{message}")


def ask(method: str, path: str, token: str, body: object = None, kind: str = "application/json") -> Any:
    """An answer's JSON; bytes go as they are. A refusal ends the step."""
    content, answer = send(method, os.environ["GITHUB_API_URL"] + path, token, body, kind)
    return json.loads(content) if "json" in answer.get("content-type", "") else content


def send(method: str, url: str, token: str, body: object, kind: str) -> tuple[bytes, dict[str, str]]:
    """An answer's bytes and headers, redirects followed without the token."""
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Accept": "application/vnd.github+json"}, method=method)
    request.add_unredirected_header("Content-Type", kind)
    if token:
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read(), {name.lower(): value for name, value in answer.headers.items()}
    except urllib.error.HTTPError as error:
        fail(f"{method} {url}: {error.code} {error.read().decode(errors='replace')[:500]}")
