"""``acts promote``: writes the champion lock that a passed verdict allows. Nothing else ever writes one."""

from pathlib import Path

import click

from ci.options import json_option, repo_option, say


@click.command("promote")
@click.argument("model")
@repo_option
@json_option
def command(model: str, repo: Path, as_json: bool) -> None:
    """Write models/MODEL/champion.lock.yaml from MODEL's last verdict; commit it with the change that earned it."""
    from ci.programs import record
    from ci.promotion import promote
    from ci.session import open_head

    workspace, head = open_head(repo)
    path, lock, changed = promote(workspace, head, model)
    if changed:
        record(workspace, path)
    if as_json:
        click.echo(lock.to_json(), nl=False)
    else:
        file, how = path.relative_to(workspace.repo), "written" if changed else "already says so"
        say(f"{file}: {how}: {lock.family} {lock.onnx}")
        say(f"Review it with git diff, then commit it: git add {file}")
