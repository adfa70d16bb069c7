"""Whether an experiment is due and what became of earlier ones. Pure: rows of ledgers in, a decision out."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import Field

from .base import StrictModel
from .cron import Cron
from .experiment import Experiment

LEDGER, DRIFT, PERFORMANCE = "experiments", "drift", "performance"
Row = Mapping[str, Any]
Cause = Literal["schedule", "new_rows", "drift", "performance", "manual"]
Ending = Literal["opened", "updated", "unchanged", "held", "refused", "waiting", "broken"]


def branch_of(model: str) -> str:
    """The one branch on which a model's experiments are proposed."""
    return f"experiment/{model}"


class Due(StrictModel):
    """Why an experiment is due: every cause that arose, and each in words."""

    causes: tuple[Cause, ...] = Field(min_length=1)
    reasons: tuple[str, ...] = Field(min_length=1)


class ExperimentRow(StrictModel):
    """One experiment in the ledger, written when it has ended.

    ``opened`` and ``updated``: a pull request proposes the challenger; ``unchanged``: it did already; ``held``: others
    work on its branch; ``refused``: a gate said no; ``waiting``: the holdout is spent; ``broken``: nothing was decided.
    """

    schema_version: Literal[1] = 1
    model: str
    now: datetime = Field(description="when it was due; in a replay not the clock's")
    ending: Ending
    causes: tuple[Cause, ...]
    reasons: tuple[str, ...] = Field(description="why it was due")
    words: tuple[str, ...] = Field(default=(), description="why it ended so")
    base: str = Field(description="commit whose rules judged")
    head: str | None = Field(default=None, description="commit that was built and judged")
    champion: str | None = Field(default=None, description="ONNX digest that it was held against")
    challenger: str | None = Field(default=None, description="ONNX digest")
    snapshot: str | None = None
    labelled: int | None = Field(default=None, description="labelled rows that there were")
    verdict: str | None = None
    commit: str | None = Field(default=None, description="head of the pull request")
    pull: str | None = Field(default=None, description="where the pull request is")
    report: str | None = Field(default=None, description="folder or address")
    seconds: float = Field(default=0.0, description="by the clock")

    @classmethod
    def of(cls, row: Row) -> Self:
        """A row as the ledger has it; raises pydantic's ``ValidationError``."""
        return cls.model_validate({key: value for key, value in row.items() if key != "written"})


class Facts(StrictModel):
    """What the causes are held against."""

    last: datetime | None = Field(default=None, description="the last experiment, however it ended")
    fresh: int | None = Field(default=None, description="newly labelled rows since the last build; None: unknown")
    drift: str = Field(default="", description="the alarm that stands, in words")
    performance: str = Field(default="", description="the bound that is crossed, in words")


def experiments_of(model: str, rows: Iterable[Row], now: datetime) -> list[ExperimentRow]:
    """The model's experiments until ``now``, in the order in which they were due."""
    found = (ExperimentRow.of(row) for row in rows if row["model"] == model)
    return sorted((row for row in found if row.now <= now), key=lambda row: row.now)


def facts_of(
    model: str, ledgers: Mapping[str, Iterable[Row]], now: datetime, labelled: int | None, learned: int | None
) -> Facts:
    """``ledgers``: rows of ``LEDGER``, ``DRIFT`` and ``PERFORMANCE`` by name.

    ``labelled``: rows of the model's dataset that have a label now; ``learned``: those of the champion's snapshot. Rows
    that an experiment saw since then are not new any more.
    """
    before = experiments_of(model, ledgers[LEDGER], now)
    last = before[-1].now if before else None
    seen = next((row.labelled for row in reversed(before) if row.labelled is not None), learned)
    fresh = None if labelled is None or seen is None else max(labelled - seen, 0)
    alarms = {name: _standing(model, ledgers[name], last, now) for name in (DRIFT, PERFORMANCE)}
    return Facts(last=last, fresh=fresh, drift=alarms[DRIFT], performance=alarms[PERFORMANCE])


def due(asked: Experiment, facts: Facts, now: datetime) -> Due | None:
    """What is due at ``now``; None within the pause, or where no cause arose."""
    found = {} if paused(asked, facts, now) else dict(_arisen(asked, facts, now))
    return Due(causes=tuple(found), reasons=tuple(found.values())) if found else None


def paused(asked: Experiment, facts: Facts, now: datetime) -> bool:
    """Whether the last experiment is too close."""
    return facts.last is not None and now - facts.last < asked.pause


def idle_words(asked: Experiment, facts: Facts, now: datetime) -> str:
    """Why nothing is due."""
    if facts.last is not None and paused(asked, facts, now):
        return f"the pause lasts until {facts.last + asked.pause:%Y-%m-%d %H:%M}"
    if asked.new_rows is None:
        return "no cause arose"
    known = "how many rows are new is not known here" if facts.fresh is None else f"{facts.fresh:,} rows are new"
    return f"no cause arose: {known}, {asked.new_rows:,} are asked for"


def _arisen(asked: Experiment, facts: Facts, now: datetime) -> Iterator[tuple[Cause, str]]:
    if asked.performance and facts.performance:
        yield "performance", facts.performance
    if asked.drift and facts.drift:
        yield "drift", facts.drift
    if asked.new_rows is not None and facts.fresh is not None and facts.fresh >= asked.new_rows:
        yield "new_rows", f"{facts.fresh:,} newly labelled rows, {asked.new_rows:,} are asked for"
    if asked.schedule and (facts.last is None or Cron.parse(asked.schedule).fired(facts.last, now)):
        yield "schedule", f"scheduled ({asked.schedule})"


def _standing(model: str, rows: Iterable[Row], last: datetime | None, now: datetime) -> str:
    """The newest row's words, if it alarms and no experiment has answered it yet."""
    timed = ((datetime.fromisoformat(row["now"]), row) for row in rows if row["model"] == model)
    newest = max(((at, row) for at, row in timed if at <= now), key=lambda pair: pair[0], default=None)
    if newest is None or not newest[1]["alarm"] or (last is not None and newest[0] <= last):
        return ""
    return str(newest[1].get("summary") or f"an alarm of {newest[0]:%Y-%m-%d}")
