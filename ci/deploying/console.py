"""What a deployment says while it goes on."""

import sys

import click

from ci.deploying.deployment import Deployment
from ci.deploying.standing import Fleet, ServerStanding
from ci.deploying.tables import change_rows, table
from ci.options import count, say
from dagster_project.domain.text import plain


class Console:
    """Says what happens while it happens; ``quiet`` says nothing but warnings, on the error stream."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self._shown: set[str] = set()

    def planned(self, found: Deployment) -> None:
        """What will be published."""
        if not self.quiet:
            for note in found.notes:
                say(note, "yellow")
            served = sum(change.commit is not None for change in found.changes)
            say(f"Commit {found.commit[:12]} serves {count(served, 'model')}.")
            table(("model", "published", "this commit", ""), change_rows(found.changes))

    def published(self, found: Deployment) -> None:
        """That it is out: from here on, ending this command changes nothing."""
        if not self.quiet:
            how = "Published as" if found.written else "Nothing to publish: the desired state is already"
            say(f"{how} {str(found.digest)[:19]}.")

    def progress(self, fleet: Fleet) -> None:
        """Lines that the last look did not have; on a terminal also how many servers are there."""
        if self.quiet:
            return
        self._erase()
        lines = dict(pair for server in fleet.servers for pair in zip(_news(server), server.lines, strict=True))
        for news, line in lines.items():
            if news not in self._shown:
                say(line)
        self._shown = set(lines)
        if sys.stdout.isatty() and not fleet.there:
            there = sum(server.there for server in fleet.servers)
            click.echo(f"{there} of {count(len(fleet.servers), 'server')} there ...", nl=False)

    def warn(self, words: str) -> None:
        """Something that others wrote can't be read."""
        click.echo(plain(f"warning: {words}"), err=True)

    def _erase(self) -> None:
        if sys.stdout.isatty():
            click.echo("\r\x1b[K", nl=False)


def _news(server: ServerStanding) -> tuple[str, ...]:
    """The server's lines but for the answers, which count on: where a model stands is the news."""
    models = tuple(model.model_copy(update={"answers": 0}) for model in server.models)
    return server.model_copy(update={"models": models}).lines
