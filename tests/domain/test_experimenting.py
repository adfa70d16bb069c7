"""When an experiment is due: each cause, the pause over all of them, and the wider search as an edit of the spec."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dagster_project.domain.errors import UserFileError
from dagster_project.domain.experiment import Experiment
from dagster_project.domain.experimenting import (
    DRIFT,
    LEDGER,
    PERFORMANCE,
    ExperimentRow,
    Facts,
    due,
    facts_of,
    idle_words,
)
from dagster_project.domain.spec_edits import widened
from dagster_project.domain.specs import load_spec
from tests.trees import SPEC

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ALL = Experiment(schedule="0 5 * * *", new_rows=100, drift=True, performance=True, pause=timedelta(hours=6))


def row(now: datetime, **more: Any) -> dict[str, Any]:
    given = {"ending": "refused", "causes": ("manual",), "reasons": ("asked for",), "base": "0" * 40, **more}
    return {"written": 1.0, **ExperimentRow(model="tardy", now=now, **given).model_dump(mode="json")}


def alarm(now: datetime, stands: bool = True, model: str = "tardy") -> dict[str, Any]:
    return {"model": model, "now": now.isoformat(), "alarm": stands, "summary": f"drift in miles, {now:%d.%m.}"}


def facts(*experiments: dict[str, Any], **more: Any) -> Facts:
    ledgers = {LEDGER: experiments, DRIFT: more.pop("drift", ()), PERFORMANCE: more.pop("performance", ())}
    return facts_of("tardy", ledgers, more.pop("now", NOW), more.pop("labelled", None), more.pop("learned", None))


def causes(asked: Experiment, found: Facts, now: datetime = NOW) -> tuple[str, ...]:
    answer = due(asked, found, now)
    return answer.causes if answer else ()


def test_every_cause_that_arose_is_named_with_its_words() -> None:
    found = facts(row(NOW - 2 * DAY), drift=[alarm(NOW - DAY)], performance=[alarm(NOW)], labelled=1100, learned=1000)
    answer = due(ALL, found, NOW)
    assert answer and answer.causes == ("performance", "drift", "new_rows", "schedule")
    assert answer.reasons[1] == "drift in miles, 03.03." and "100 newly labelled rows" in answer.reasons[2]


@pytest.mark.parametrize("cause", ["schedule", "new_rows", "drift", "performance"])
def test_a_cause_that_is_not_asked_starts_nothing(cause: str) -> None:
    found = facts(drift=[alarm(NOW)], performance=[alarm(NOW)], labelled=1100, learned=1000)
    off = {"schedule": None, "new_rows": None, "drift": False, "performance": False}
    assert causes(ALL.model_copy(update={**off, cause: getattr(ALL, cause)}), found) == (cause,)


def test_the_pause_holds_whatever_arose_and_ends_to_the_minute() -> None:
    last = NOW - timedelta(hours=6)
    assert causes(ALL, facts(row(last), drift=[alarm(NOW)])) == ("drift",)
    early = facts(row(last + timedelta(minutes=1)), drift=[alarm(NOW)], labelled=10_000, learned=0)
    assert due(ALL, early, NOW) is None
    assert idle_words(ALL, early, NOW) == "the pause lasts until 2026-03-04 12:01"


def test_a_schedule_counts_from_the_last_experiment_and_a_first_one_is_due_at_once() -> None:
    daily = Experiment(schedule="0 5 * * *", pause=timedelta(hours=1))
    assert causes(daily, facts()) == ("schedule",)
    assert causes(daily, facts(row(NOW - timedelta(hours=8)))) == ("schedule",)
    assert causes(daily, facts(row(NOW - timedelta(hours=7)))) == ()


def test_rows_that_an_experiment_saw_are_not_new_any_more() -> None:
    fresh = Experiment(new_rows=100, pause=timedelta(hours=1))
    assert facts(labelled=1100, learned=1000).fresh == 100
    refused = row(NOW - DAY, labelled=1080)
    assert facts(refused, labelled=1100, learned=1000).fresh == 20
    broken = row(NOW - timedelta(hours=2), ending="broken")
    assert facts(refused, broken, labelled=1100, learned=1000).fresh == 20, "what broke saw nothing"
    assert facts(labelled=1100).fresh is None and "not known here" in idle_words(fresh, facts(labelled=1100), NOW)


def test_an_alarm_counts_while_it_stands_and_until_it_is_answered() -> None:
    assert facts(drift=[alarm(NOW - DAY), alarm(NOW, stands=False)]).drift == ""
    assert facts(row(NOW - DAY), drift=[alarm(NOW - DAY)]).drift == "", "an experiment answered it"
    assert facts(row(NOW - DAY), drift=[alarm(NOW - DAY), alarm(NOW)]).drift
    assert facts(drift=[alarm(NOW, model="other")]).drift == ""
    assert facts(drift=[alarm(NOW + DAY)]).drift == "", "a replayed year is seen as it went by"
    assert facts(row(NOW + DAY), drift=[alarm(NOW)]).last is None


FORMS = {
    "a flow mapping": "search: {metric: roc_auc, trials: 6}  # few\n",
    "a block": "search:\n  # by hand\n  metric: roc_auc\n  trials: 6   # few\n",
    "both are there": "search:\n  time_budget: PT5M\n  trials: 6\n  metric: roc_auc\n",
}


def spec_with(search: str, experiment: str) -> str:
    lines = SPEC.splitlines(keepends=True)
    start = next(i for i, line in enumerate(lines) if line.startswith("search:"))
    end = next(i for i in range(start + 1, len(lines)) if not lines[i].startswith(" "))
    return "".join([*lines[:start], search, f"experiment: {{{experiment}}}\n", *lines[end:]])


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_the_wider_search_is_an_edit_that_leaves_the_rest_to_the_byte(form: str) -> None:
    text = spec_with(form, "schedule: 0 5 * * *, trials: 40, time_budget: PT2H")
    before, changed = load_spec(text, "s"), widened(text, load_spec(text, "s"))
    after = load_spec(changed, "s")
    assert (after.search.trials, after.search.time_budget) == (40, timedelta(hours=2))
    assert after.model_copy(update={"search": before.search}) == before
    kept = [line for line in text.splitlines() if "trials" not in line and "time_budget" not in line]
    assert [line for line in changed.splitlines() if line in kept] == kept
    assert ("# few" in changed) == ("# few" in text)


def test_a_search_is_never_made_narrower_and_the_same_search_is_no_edit() -> None:
    text = spec_with(FORMS["a flow mapping"], "schedule: 0 5 * * *, trials: 3, time_budget: PT1M")
    assert widened(text, load_spec(text, "s")) == text


def test_a_search_that_cannot_be_edited_in_place_is_told() -> None:
    anchored = spec_with("search: {metric: roc_auc, trials: &few 6, seed: *few}\n", "trials: 40")
    with pytest.raises(UserFileError, match="can't be written into this file"):
        widened(anchored, load_spec(anchored, "s"))
