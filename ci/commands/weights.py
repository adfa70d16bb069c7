"""``acts weights``: pretrained weights into the artifact store, under their licence."""

from pathlib import Path

import click

from ci.options import count, repo_option, repository, say
from dagster_project.domain.workspace import Workspace


@click.command("weights")
@repo_option
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--licence", required=True, help="SPDX name of the licence under which they may be used.")
def command(repo: Path, file: Path, licence: str) -> None:
    """Store a safetensors FILE; prints what a candidate of a spec says to begin with it."""
    from dagster_project.storage.store import ArtifactStore
    from dagster_project.storage.weights import keep_weights

    digest, tensors = keep_weights(ArtifactStore.of(Workspace(repo=repository(repo))), file.read_bytes(), licence)
    say(f"{file.name}: {count(tensors, 'tensor')}, stored. In the spec:", "green")
    click.echo(f"    weights:\n      digest: {digest}\n      licence: {licence}")
