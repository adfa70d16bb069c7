"""Deployments and their statuses, which GitHub shows at the pull request and the environment."""

import json
from collections.abc import Mapping
from typing import Any

from .connection import Connection
from .values import DeploymentState

#: As long as GitHub takes the description of a status.
DESCRIPTION = 140


def deployment(connection: Connection, sha: str, environment: str, description: str, payload: Mapping[str, Any]) -> int:
    """The id of the deployment of this commit with this payload to this environment; made where there is none.

    No status of the commit is asked for: ``acts deploy`` has verified the verdicts, which say more.
    """
    for found in connection.pages("deployments", sha=sha, environment=environment):
        if _payload(found["payload"]) == payload:
            return int(found["id"])
    made = connection.repository.create_deployment(
        sha, required_contexts=[], payload=dict(payload), description=description, environment=environment
    )
    return int(made.id)


def deployment_status(
    connection: Connection,
    deployment: int,
    state: DeploymentState,
    description: str,
    log_url: str = "",
    environment_url: str = "",
) -> None:
    """Tell how the deployment fares; where its last status says just that, nothing is written."""
    short = description if len(description) <= DESCRIPTION else f"{description[: DESCRIPTION - 1]}…"
    wanted = {"state": state, "description": short, "log_url": log_url, "environment_url": environment_url}
    statuses = list(connection.pages("deployments", deployment, "statuses"))
    last = max(statuses, key=lambda status: int(status["id"]), default={})
    if any((last.get(key) or "") != value for key, value in wanted.items()):
        # github3.py's create_status knows neither log_url nor environment_url.
        connection.send("POST", connection.url("deployments", deployment, "statuses"), wanted)


def _payload(payload: Any) -> Any:
    """GitHub answers with what it was given, which others give as text."""
    try:
        return json.loads(payload) if isinstance(payload, str) else payload
    except ValueError:
        return payload
