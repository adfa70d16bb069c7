"""Addresses in the team's Dagster UI, which ``ACTS_DAGSTER_UI`` names."""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlsplit

from .errors import UsageError

UI = "ACTS_DAGSTER_UI"
ADDRESS = r"^https?://[A-Za-z0-9.:-]+(/[A-Za-z0-9._~%/-]*)?$"
"""An address that Markdown and HTML show as it is: no user, query, space, quote or bracket in it."""


def ui_of(environment: Mapping[str, str]) -> str | None:
    """The UI's base address without a slash at its end; None where there is none.

    Raises:
        UsageError: it is no plain http or https address.
    """
    base = environment.get(UI, "").rstrip("/")
    if base and not (re.fullmatch(ADDRESS, base) and urlsplit(base).hostname):
        raise UsageError(f"{UI}: not an address like https://dagster.example.com or http://127.0.0.1:3000/team.")
    return base or None


def judged_path(kind: str, name: str) -> tuple[str, ...]:
    """The asset that a verdict is about: a model's evaluation, or the dataset itself."""
    return (name, "evaluation") if kind == "model" else (name,)


def run_url(ui: str, run: str) -> str:
    """Where a run is shown."""
    return f"{ui}/runs/{quote(run, safe='')}"


def asset_url(ui: str, path: Sequence[str]) -> str:
    """Where an asset with its events and checks is shown."""
    return f"{ui}/assets/{'/'.join(quote(part, safe='') for part in path)}"
