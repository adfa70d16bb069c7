"""The repository's contracts and specs as Dagster definitions: here files are read, and nowhere behind it."""

import os
from pathlib import Path

import dagster as dg

from dagster_project.domain.loading import load_repository
from dagster_project.domain.repository import FolderTree
from dagster_project.domain.workspace import Workspace
from dagster_project.factories.assembly import definitions_for
from dagster_project.factories.values import documents_of


@dg.definitions
def repository(context: dg.ComponentLoadContext) -> dg.Definitions:
    """What ``ACTS_REPO`` names, or this very repository."""
    repo = Path(os.environ.get("ACTS_REPO") or context.project_root).resolve()
    workspace = Workspace(repo=repo)
    return definitions_for(load_repository(FolderTree(repo)), workspace, documents_of(workspace))
