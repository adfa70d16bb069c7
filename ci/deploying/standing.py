"""How far servers are with a desired state, as data and in words."""

from pydantic import Field

from dagster_project.domain.base import StrictModel
from dagster_project.domain.rollout import Place


class ModelStanding(StrictModel):
    """One model on one server."""

    model: str
    wanted: str | None
    """Digest that shall be served; None: the model is withdrawn."""
    place: Place | None = None
    answers: int = 0
    live: str | None = None
    error: str | None = None

    @property
    def there(self) -> bool:
        """Whether the server does what is asked of it: the bytes are live, or on their way."""
        return self.place is not None if self.wanted else self.live is None

    @property
    def state(self) -> str:
        """Where it stands, in words."""
        if self.wanted is None:
            return "withdrawn" if self.there else "withdrawn, but still live"
        if self.place == "live":
            return "live"
        if self.place:
            so_far = "1 answer" if self.answers == 1 else f"{self.answers:,} answers"
            return f"in {self.place}, {so_far} so far"
        return f"not there: {self.error}" if self.error else "not there yet"

    def __str__(self) -> str:
        before = f" ({self.live[:19]} is live)" if self.live not in (None, self.wanted) and self.wanted else ""
        return f"{self.model} {(self.wanted or self.live or '')[:19]}".rstrip() + f": {self.state}{before}"


class ServerStanding(StrictModel):
    """One server. ``silent``: seconds since it last said something, where that is too long ago."""

    server: str
    address: str
    seen: bool
    silent: float | None = None
    models: tuple[ModelStanding, ...] = ()

    @property
    def there(self) -> bool:
        """Whether it has seen the desired state and does all of it."""
        return self.seen and all(model.there for model in self.models)

    @property
    def lines(self) -> tuple[str, ...]:
        """A line for each model that has an error or is looked at already, and what else is to be said."""
        return (*self._said, *(f"{self._name}: {model}" for model in self.models if self.seen or model.error))

    @property
    def missing(self) -> tuple[str, ...]:
        """As ``lines``, without the models that are as they shall be."""
        return self.model_copy(update={"models": tuple(model for model in self.models if not model.there)}).lines

    @property
    def _name(self) -> str:
        return f"server {self.server} ({self.address})"

    @property
    def _said(self) -> tuple[str, ...]:
        lost = () if self.silent is None else (f"{self._name}: has stopped reporting; is it dead?",)
        return lost if self.seen else (*lost, f"{self._name}: has not seen this deployment yet")


class Fleet(StrictModel):
    """All servers that count, and those that don't."""

    servers: tuple[ServerStanding, ...] = ()
    dead: dict[str, float] = Field(default_factory=dict)
    """Servers that have not reported for long, with the seconds."""

    @property
    def there(self) -> bool:
        """Whether every server does what is asked; so do none."""
        return all(server.there for server in self.servers)
