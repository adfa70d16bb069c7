"""Every family x kind of data x task: what fits is trained and exported, what does not is refused with what would."""

import tempfile
import time
from itertools import product
from pathlib import Path
from typing import Any

import polars as pl

from dagster_project.domain.families import FAMILIES, Modality, Task, families_for
from dagster_project.training.export import export
from dagster_project.training.job import check_export
from tests.modalities.test_misfits import CONTRACT, OWN, SQL, spec
from tests.training.conftest import make_request, quick, table_of
from tests.training.test_beginning import SOURCE
from tests.training.test_trained_families import train
from tests.training.wide import of_pictures, of_windows
from tests.trees import problems, tree

TASKS: tuple[Task, ...] = ("binary", "multiclass", "regression")
KINDS: tuple[Modality, ...] = ("tabular", "text", "image", "series")
NETWORK = SOURCE.replace('    part = layout.the("image")\n', "").replace('parameters["width"]', "16")


def run() -> dict[str, Any]:
    """Real digits, real hours of weather, real tables; texts are made up."""
    started, found = time.perf_counter(), {}
    for family, kind, task in product(FAMILIES, KINDS, TASKS):
        fits = family in families_for(task, [kind, "tabular"])
        found[family, kind, task] = _trained(family, kind, task) if fits else _refused(family, kind, task)
    wrong = sorted(f"{' x '.join(cell)}: {said}" for cell, said in found.items() if said not in ("trained", "refused"))
    counts = {word: list(found.values()).count(word) for word in ("trained", "refused")}
    return {
        "what": f"{len(FAMILIES)} families x {len(KINDS)} kinds of data x {len(TASKS)} tasks",
        "figures": {**counts, "wrong": wrong, "minutes": round((time.perf_counter() - started) / 60, 1)},
        "ratio": round(sum(counts.values()) / len(found), 4),
        "goal": "fits are trained, and their graph answers as they do; misfits are refused with what would fit",
        "holds": not wrong,
    }


def _trained(family: str, kind: Modality, task: Task) -> str:
    given = _rows(kind, task)
    with tempfile.TemporaryDirectory() as folder:
        request = make_request(Path(folder), given.pop("table"), task, candidates=[quick(family)], **given)
        request = request.model_copy(update={"spec": request.spec.model_copy(update={"architecture": NETWORK})})
        data, _, candidate = train(request)
        parity = check_export(data, candidate, export(candidate))
    return "trained" if parity.maximum_difference <= 1e-5 else f"differs by {parity.maximum_difference}"


def _rows(kind: Modality, task: Task) -> dict[str, Any]:
    if kind == "tabular":
        return {"table": table_of(task)}
    given = {"image": of_pictures, "series": of_windows, "text": _notes}[kind]()
    number = pl.col("target")
    goals = {
        "binary": number > number.median(),
        "multiclass": number.cast(pl.Int64) % 3,
        "regression": number.cast(pl.Float64),
    }
    return {**given, "table": given["table"].with_columns(target=goals[task])}


def _notes() -> dict[str, Any]:
    said = ["it came late", "right on time", "never came at all", "a little early"]
    rows = [f"{said[row % 4]}, {'abcdefg'[row % 7]}" for row in range(400)]
    table = pl.DataFrame(
        {"note": rows, "size": [float(row % 5) for row in range(400)], "target": [row % 4 for row in range(400)]}
    )
    return {"table": table, "categorical": ("note",), "modalities": {"note": "text"}}


def _refused(family: str, kind: Modality, task: Task) -> str:
    more = OWN if family == "architecture" else {}
    found = problems(tree(spec=spec(family, task, kind), trips=CONTRACT, sql=SQL, **more))
    fitting = families_for(task) if task not in FAMILIES[family].tasks else families_for(task, [kind, "tabular"])
    told = len(found) == 1 and all(name in (found[0].hint or "") for name in fitting)
    return "refused" if told else f"not refused with {', '.join(fitting)}: {[problem.message for problem in found]}"
