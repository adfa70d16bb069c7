"""What a connection is before anything is sent."""

import subprocess
import sys

import pytest

from ci.forge.connection import Connection
from ci.forge.github import API, GitHub
from ci.forge.patience import Patience
from tests.ci.forge.script import TOKEN


def test_importing_and_connecting_loads_no_client() -> None:
    """Commands that never ask GitHub must not pay for its client, nor need it."""
    code = f"import sys, ci.forge.github as g; g.GitHub.connect('o/r', '{TOKEN}'); print(*sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "ci.forge.connection" in answer.stdout.split()
    assert not {"github3", "requests", "urllib3"} & set(answer.stdout.split())


@pytest.mark.parametrize(
    ("api", "graphql"),
    [
        (API, "https://api.github.com/graphql"),
        ("https://api.acme.ghe.com/", "https://api.acme.ghe.com/graphql"),
        ("https://github.acme.org/api/v3", "https://github.acme.org/api/graphql"),
    ],
)
def test_graphql_is_where_github_has_it(api: str, graphql: str) -> None:
    assert Connection("o/r", TOKEN, api, Patience())._graphql == graphql


def test_every_request_has_a_timeout_and_a_version() -> None:
    session = Connection("o/r", TOKEN, API, Patience()).session
    assert session.timeout == (10, 30) and session.headers["X-GitHub-Api-Version"] == "2022-11-28"


def test_nothing_shows_the_token() -> None:
    connection = Connection("o/r", TOKEN, API, Patience())
    shown = [repr(GitHub(connection)), repr(connection), repr(connection.session), repr(connection.session.auth)]
    assert not any(TOKEN in text for text in shown)
