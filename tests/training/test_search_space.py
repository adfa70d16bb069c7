"""What is tried: the same trials everywhere, each family in its turn."""

import pytest

from dagster_project.domain.bundle import Trial
from dagster_project.domain.errors import RefusedError
from dagster_project.domain.families import FAMILIES, Distribution
from dagster_project.training.course import Course
from dagster_project.training.search import best_trial
from dagster_project.training.space import Proposal, propose


def test_trial_i_does_not_depend_on_how_many_there_are(request_for):
    few, many = (propose(request_for("binary", search={"trials": count}).spec) for count in (6, 30))
    assert many[:6] == few


def test_families_take_turns(request_for):
    spec = request_for("regression", search={"trials": 12}).spec
    names = [candidate.family for candidate in spec.candidates]
    assert [proposal.family for proposal in propose(spec)] == names * 2


def test_another_seed_tries_other_parameters(request_for):
    one, two = (propose(request_for("binary", search={"seed": seed}).spec) for seed in (0, 1))
    assert one != two


@pytest.mark.parametrize("family", FAMILIES)
def test_parameters_lie_in_their_space(request_for, family):
    task = FAMILIES[family].tasks[0]
    candidate = {"family": family}
    spec = request_for(task, candidates=[candidate], search={"trials": 50}).spec
    for proposal in propose(spec):
        for name, dimension in FAMILIES[family].space.items():
            assert inside(proposal.parameters[name], dimension)
        for name, value in FAMILIES[family].defaults.items():
            assert proposal.parameters[name] == value


def inside(value, dimension: Distribution) -> bool:
    if dimension.choice is not None:
        return value in dimension.choice
    low, high = dimension.integer or dimension.uniform or dimension.log_uniform or (0, 0)
    return low * 0.999 <= value <= high * 1.001


def test_a_spec_narrows_and_fixes(request_for):
    search = {"C": {"log_uniform": [0.5, 0.6]}}
    spec = request_for(
        "binary", candidates=[{"family": "logistic_regression", "search": search}], search={"trials": 20}
    ).spec
    assert all(0.49 < proposal.parameters["C"] < 0.61 for proposal in propose(spec))


def test_a_small_space_gives_each_point_once(request_for):
    search = {"C": {"choice": [0.1, 1.0, 10.0]}}
    spec = request_for(
        "binary", candidates=[{"family": "logistic_regression", "search": search}], search={"trials": 20}
    ).spec
    assert sorted(proposal.parameters["C"] for proposal in propose(spec)) == [0.1, 1.0, 10.0]


def test_selection_is_searched(request_for):
    features = {"selection": {"method": "univariate", "keep": [0.2, 0.6, 1.0]}}
    spec = request_for("binary", features=features, search={"trials": 40}).spec
    assert {proposal.parameters["keep"] for proposal in propose(spec)} == {0.2, 0.6, 1.0}


def trial(number: int, value: float | None, status="completed", error: str | None = None) -> Trial:
    return Trial(number=number, family="ridge", parameters={}, status=status, value=value, seconds=1.0, error=error)


@pytest.mark.parametrize(("metric", "best"), [("r2", 2), ("rmse", 1)])
def test_the_best_follows_the_metrics_direction(metric, best):
    assert best_trial([trial(0, 0.5), trial(1, 0.1), trial(2, 0.9), trial(3, None, "failed")], metric).number == best


def test_a_tie_goes_to_the_first():
    assert best_trial([trial(0, 0.5), trial(1, 0.5)], "r2").number == 0


def test_a_stopped_trial_may_win():
    assert best_trial([trial(0, 0.5), trial(1, 0.6, "stopped")], "r2").number == 1


def test_no_value_says_why():
    failures = [trial(0, None, "failed", "ValueError: no such thing"), trial(1, None, "stopped")]
    with pytest.raises(RefusedError, match=r"none of 2 trials has a value\. Failed: ValueError: no such thing"):
        best_trial(failures, "r2")
    with pytest.raises(RefusedError, match="time budget"):
        best_trial([trial(0, None, "stopped")], "r2")


def test_the_course_keeps_what_ended_and_records_what_died():
    spoken: list[Trial] = []
    proposals = [Proposal(number, "ridge", {}) for number in range(4)]
    course = Course(proposals, Recorded(spoken))
    course.began(0)
    course.reached(0, 0.5, 1, 1.0, done=True)
    course.ended(0)
    course.failed(0, "its worker died afterwards")
    course.failed(1, "its worker died before it began")
    course.began(2)
    course.reached(2, float("nan"), 1, 1.0, done=True)
    course.ended(2)
    course.began(3)
    trials = course.finish()
    assert [trial.status for trial in trials] == ["completed", "failed", "failed", "stopped"]
    assert trials[2].error == "the metric is nan"
    assert spoken == trials


class Recorded:
    """A display that keeps what it is shown."""

    def __init__(self, spoken: list[Trial]) -> None:
        self.spoken = spoken

    def say(self, line: str) -> None:
        raise AssertionError(line)

    def trial(self, trial: Trial) -> None:
        self.spoken.append(trial)
