"""Whether servers answer for what was just deployed, over the Open Inference Protocol's own health endpoints."""

import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Sequence
from urllib.parse import quote

SECONDS, PAUSE, TIMEOUT = 60.0, 1.0, 5.0


def unhealthy(addresses: Iterable[str], models: Sequence[str], seconds: float = SECONDS) -> str:
    """What does not answer within ``seconds``; empty where every server is ready and serves every model."""
    end = time.monotonic() + seconds
    paths = ("/v2/health/live", "/v2/health/ready", *(f"/v2/models/{quote(model, safe='')}/ready" for model in models))
    for address in addresses:
        for path in paths:
            why = _waited(address.rstrip("/") + path, end)
            if why:
                return f"{address.rstrip('/')}{path}: {why}"
    return ""


def _waited(url: str, end: float) -> str:
    while True:
        why = _asked(url)
        if not why or time.monotonic() > end:
            return why
        time.sleep(PAUSE)


def _asked(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:
            return "" if answer.status == 200 else f"answered {answer.status}"
    except urllib.error.HTTPError as error:
        with error:
            return f"answered {error.code}"
    except (OSError, ValueError) as error:
        return f"does not answer ({type(error).__name__})"
