"""What a deployment writes: the desired state, a row of the ledger, and Dagster's event for each new champion."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from ci.deploying.deployment import Deployment
from ci.deploying.difference import ModelChange
from ci.git import GitTree
from ci.programs import record
from dagster_project.domain.deployment import DesiredState
from dagster_project.domain.errors import MachineryError
from dagster_project.domain.lock_changes import lock_file
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.deployments import Deployments
from dagster_project.storage.files import write_atomic
from dagster_project.storage.ledger import Ledger


def publish(deployments: Deployments, ledger: str, wanted: DesiredState, found: Deployment) -> Deployment:
    """Make ``wanted`` the desired state and write a row down; where it is already, nothing is written."""
    digest = deployments.publish(wanted)
    if digest == found.previous:
        return found
    row = {
        "commit": wanted.commit,
        "digest": digest,
        "previous": found.previous,
        "models": {name: model.onnx for name, model in wanted.models.items()},
        "withdrawn": [change.model for change in found.changes if change.commit is None],
    }
    Ledger(ledger, "deployments").append(row)
    return found.model_copy(update={"written": True})


def tell_dagster(workspace: Workspace, tree: GitTree, changed: Sequence[ModelChange]) -> str:
    """Tell Dagster of the locks that are served from now on; why it could not be told. The state is out already."""
    with tempfile.TemporaryDirectory(prefix="acts-deploy-") as folder:
        files = [Path(folder) / f"{change.model}.champion.lock.yaml" for change in changed if change.is_new_lock]
        try:
            for file in files:
                write_atomic(file, tree.read(lock_file(file.name.split(".")[0])))
            if files:
                record(workspace, *files, deployed=True)
        except MachineryError as error:
            return str(error)
    return ""
