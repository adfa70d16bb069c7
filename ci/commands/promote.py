"""``acts promote``: writes the champion lock that a passed verdict allows, and its card. Nothing else ever does."""

from pathlib import Path

import click

from ci.options import json_option, repo_option, say


@click.command("promote")
@click.argument("model")
@repo_option
@json_option
def command(model: str, repo: Path, as_json: bool) -> None:
    """Write models/MODEL/champion.lock.yaml and card.md from MODEL's last verdict; commit both."""
    from ci.programs import record
    from ci.promotion import promote
    from ci.session import open_head

    workspace, head = open_head(repo)
    paths, lock, changed = promote(workspace, head, model)
    if changed:
        record(workspace, paths[0])
    if as_json:
        click.echo(lock.to_json(), nl=False)
    else:
        files, how = [str(path.relative_to(workspace.repo)) for path in paths], "written" if changed else "as it is"
        say(f"{files[0]}: {how}: {lock.family} {lock.onnx}")
        for card in files[1:]:
            say(f"{card}: what anybody should know of it, in plain words")
        say(f"Review them with git diff, then commit them: git add {' '.join(files)}")
