"""``acts reproduce``: train a champion again from its lock."""

from pathlib import Path

import click

from ci.options import json_option, repo_option, repository, say
from dagster_project.domain.errors import PASSED, REFUSED

WORDS = {
    "bit_for_bit": "reproduced bit for bit",
    "within_tolerance": "reproduced within tolerance",
    "different": "not reproduced",
}


@click.command("reproduce")
@click.argument("model")
@repo_option
@json_option
def command(model: str, repo: Path, as_json: bool) -> int:
    """Train MODEL's champion again; exit 0 when the bytes, or the answers within 1e-5, are the same, else 1."""
    from ci.reproduction import reproduce

    again = reproduce(repository(repo), model, quiet=as_json)
    if as_json:
        click.echo(again.to_json(), nl=False)
    else:
        difference = "" if again.maximum_difference is None else f"; largest difference {again.maximum_difference:.2g}"
        say(f"{model}: {WORDS[again.outcome]}{difference}", "red" if again.outcome == "different" else "green")
        for what, same in (("code", again.same_code), ("environment", again.same_environment)):
            if not same:
                say(f"  the {what} is not the lock's: other digests may come from that")
    return REFUSED if again.outcome == "different" else PASSED
