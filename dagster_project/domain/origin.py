"""For whom something was done: the commit and pull request it belongs to, and who started it."""

from collections.abc import Mapping
from typing import Self

from pydantic import Field, ValidationError

from .base import StrictModel
from .errors import UsageError

LOCAL = "local"
COMMIT, PULL_REQUEST, LAUNCHER = "ACTS_COMMIT", "ACTS_PULL_REQUEST", "ACTS_LAUNCHER"


class Origin(StrictModel):
    """What CI says of its job in ``ACTS_COMMIT``, ``ACTS_PULL_REQUEST`` and ``ACTS_LAUNCHER``."""

    commit: str | None = Field(default=None, pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$")
    pull_request: int | None = Field(default=None, gt=0)
    launcher: str = Field(default=LOCAL, pattern=r"^[A-Za-z0-9_.-]{1,63}$")

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self:
        """The origin that the environment tells; what is unset or empty is not known.

        Raises:
            UsageError: a variable holds something else than a commit, a number or a name.
        """
        names = {"commit": COMMIT, "pull_request": PULL_REQUEST, "launcher": LAUNCHER}
        told = {field: environment[name] for field, name in names.items() if environment.get(name)}
        try:
            return cls.model_validate(told)
        except ValidationError as error:
            wrong = ", ".join(names[str(problem["loc"][0])] for problem in error.errors())
            raise UsageError(
                f"{wrong}: not as expected. {COMMIT} is a whole commit id, {PULL_REQUEST} a number, {LAUNCHER} a name."
            ) from None

    @property
    def variables(self) -> dict[str, str]:
        """The environment that tells it; inverse of ``of``."""
        known = {COMMIT: self.commit, PULL_REQUEST: self.pull_request, LAUNCHER: self.launcher}
        return {name: "" if value is None else str(value) for name, value in known.items()}

    @property
    def tags(self) -> dict[str, str]:
        """Tags of Dagster's runs and events; only what is known."""
        known = {"acts/commit": self.commit, "acts/pull_request": self.pull_request, "acts/launcher": self.launcher}
        return {name: str(value) for name, value in known.items() if value is not None}
