"""Searches of the asha benchmark: ``python -m tests.benchmarks.asha_searches FOLDER``.

A request file and an answer file each. One Ray runs them all, and the rows are read once: the searches differ in seed
and scheduler alone.
"""

import json
import sys
from pathlib import Path
from typing import Any

from dagster_project.domain.build import BuildRequest
from dagster_project.domain.bundle import Trial
from dagster_project.evaluation.measuring import measure
from dagster_project.inference.predictor import Answers
from dagster_project.training.candidate import label_values, refit
from dagster_project.training.cluster import cluster
from dagster_project.training.problem import Problem, pose
from dagster_project.training.progress import Lines
from dagster_project.training.rows import Data, load_data
from dagster_project.training.search import best_trial, search
from dagster_project.training.space import propose


def main(folder: Path) -> None:
    """Each request of the folder, in the order of its name; an answer beside it."""
    paths = sorted(folder.glob("request-*.json"))
    requests = [BuildRequest.from_json(path.read_bytes()) for path in paths]
    data = load_data(requests[0])
    found = {}
    with cluster(requests[0]) as place:
        for path, request in zip(paths, requests, strict=True):
            problem = pose(request.spec, data)
            proposals = propose(request.spec)
            shown = Lines(request.spec.search.metric, len(proposals))
            trials = search(request, problem, proposals, place, shown).trials
            found[path.name] = trials
            print(f"{path.name}: {sum(trial.steps for trial in trials)} steps", flush=True)
    for path, request in zip(paths, requests, strict=True):
        answer = answer_of(request, data, found[path.name])
        path.with_name(path.name.replace("request", "out")).write_text(json.dumps(answer))


def answer_of(request: BuildRequest, data: Data, trials: list[Trial]) -> dict[str, Any]:
    """The course, the winner, and its interval where every trial ran to its end."""
    best = best_trial(trials, request.spec.search.metric)
    answer: dict[str, Any] = {
        "winner": best.number,
        "value": best.value,
        "steps": sum(trial.steps for trial in trials),
        "trials": [trial.model_dump(mode="json") for trial in trials],
    }
    if request.spec.search.scheduler == "none":
        answer |= interval(request, pose(request.spec, data), data, best)
    return answer


def interval(request: BuildRequest, problem: Problem, data: Data, best: Trial) -> dict[str, float]:
    """The winner's value with its 95 % interval over the validation rows (DeLong's for roc_auc)."""
    spec = request.spec
    candidate = refit(problem, data, best)
    scores = candidate.answer(data.validation.columns).numbers.astype(float)
    classes = tuple(label_values(data.classes).tolist())
    answers = Answers(classes=classes, codes=scores.argmax(axis=1), scores=scores)
    labels = label_values(data.classes)[data.validation.target]
    (found,) = measure(answers, labels, spec.task, [spec.search.metric], rows="validation")
    assert found.low is not None and found.high is not None
    return {"low": found.low, "high": found.high}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
