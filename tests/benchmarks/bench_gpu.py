"""What a card is worth: the flights perceptron, and a wide one, on a core and on a GPU, in float32 and bfloat16.

Epochs alone are timed, by the loop that training uses. Without a card there is nothing to compare, and that is said.
BENCH_REQUEST names a request whose rows are there already.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

from dagster_project.domain.build import BuildRequest
from dagster_project.training.device import CPU, Device, choose_device
from dagster_project.training.families import make_estimator
from dagster_project.training.gpu_meter import GpuMeter
from dagster_project.training.layout import Layout
from dagster_project.training.problem import Problem, pose
from dagster_project.training.rows import load_data
from dagster_project.training.scoring import answers_of, score

PERCEPTRON = {
    "hidden": "128,64",
    "dropout": 0.1,
    "learning_rate": 1e-3,
    "weight_decay": 1e-4,
    "batch_size": 1024,
    "clip": 1.0,
}
WIDE = {**PERCEPTRON, "hidden": "4096,4096,2048", "batch_size": 8192}
SIZES: dict[str, tuple[dict[str, Any], int, int]] = {  # parameters, epochs on a card, epochs on a core
    "128,64 in batches of 1,024": (PERCEPTRON, 6, 3),
    "4096,4096,2048 in batches of 8,192": (WIDE, 6, 0),
}
APART = 0.01  # of the area under the curve: precision moves the last digits, not the model


def run() -> dict[str, Any]:
    """A minute on a card; a core takes its share of that."""
    card = choose_device(1)
    if not card.is_gpu:
        return {
            "what": "no card here: nothing was measured",
            "figures": {},
            "ratio": 0.0,
            "goal": "none without a card",
            "holds": True,
        }
    problem = _problem()
    figures, ratios, apart = {}, [], []
    for name, (parameters, epochs, on_core) in SIZES.items():
        places = {"card, float32": Device(card.name), f"card, {card.precision}": card}
        seen = {place: _train(problem, parameters, epochs, device) for place, device in places.items()}
        if on_core:
            seen["one core, float32"] = _train(problem, parameters, on_core, CPU)
            ratios.append(seen[f"card, {card.precision}"]["rows a second"] / seen["one core, float32"]["rows a second"])
        values = [each["roc_auc"] for each in seen.values() if each["epochs"] == epochs]
        apart.append(max(values) - min(values))
        figures[name] = seen
    return {
        "what": f"{len(problem.train_target)} train rows of the flights, a network an epoch at a time",
        "figures": figures,
        "ratio": round(ratios[0], 2),
        "goal": f"the same area under the curve to {APART} in either precision; bfloat16 where the card has it",
        "holds": max(apart) <= APART and card.precision == "bfloat16",
    }


def _problem() -> Problem:
    given = os.environ.get("BENCH_REQUEST")
    with tempfile.TemporaryDirectory(prefix="acts-bench-") as folder:
        if given:
            request = BuildRequest.from_json(Path(given).read_bytes())
        else:
            from tests.benchmarks.flights import flights_request

            request = flights_request(Path(folder), candidates=[{"family": "mlp", "search": {}}])
        return pose(request.spec, load_data(request))


def _train(problem: Problem, parameters: dict[str, Any], epochs: int, device: Device) -> dict[str, Any]:
    prepared = problem.prepared["scaled"]
    estimator = make_estimator("mlp", {**parameters, "epochs": epochs + 1}, problem.task, problem.seed, Layout())
    training = estimator.begin(prepared.train, problem.train_target, device)
    meter = GpuMeter(device) if device.is_gpu else None
    steps = training.epochs(meter.running) if meter else training.epochs()
    next(steps)  # the first epoch also compiles and warms up
    training.rows, training.seconds = 0, 0.0
    if meter:
        meter.shares.clear()
    for _ in steps:
        pass
    answers = answers_of(estimator, prepared.validation, problem.task)
    value = score("roc_auc", problem.task, problem.validation_target, answers, problem.positive)
    found = {
        "epochs": epochs,
        "seconds an epoch": round(training.seconds / epochs, 3),
        "rows a second": round(training.samples_per_second),
        "roc_auc": round(value, 4),
    }
    if meter:
        read = meter.read(training)
        found |= {
            "card": read.name,
            "precision": read.precision,
            "utilisation": None if read.utilisation is None else round(read.utilisation, 3),
            "peak memory MB": round(read.peak_memory / 1e6),
        }
    return found
