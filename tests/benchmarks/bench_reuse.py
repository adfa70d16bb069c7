"""What a second build and judgement take when nothing changed, and when only a gate did."""

import os
from typing import Any

from tests.benchmarks.throwaway import MODEL, Took, bench

UNCHANGED, GATES_ONLY = 1 / 20, 1 / 4


def run() -> dict[str, Any]:
    """The spec as it stands: a search of fewer trials would make the first run shorter than any real one."""
    before = os.getloadavg()[0]
    with bench() as here:

        def loop() -> Took:
            return here.acts("build", MODEL) + here.acts("judge", MODEL)

        first, second = loop(), loop()
        here.edit(
            "metric: roc_auc\n    rows: validation\n    minimum: 0.60",
            "metric: roc_auc\n    rows: validation\n    minimum: 0.61",
        )
        here.commit("a stricter gate")
        gates = loop()
    ratio, changed = second.wall / first.wall, gates.wall / first.wall
    return {
        "what": f"acts build and acts judge of {MODEL}, all flights, its spec as it stands: wall seconds",
        "figures": {
            "first": _figures(first),
            "second, nothing changed": _figures(second),
            "third, one gate changed": _figures(gates),
            "nothing changed": round(ratio, 4),
            "gates only": round(changed, 4),
            "load before": before,
        },
        "ratio": round(ratio, 4),
        "goal": "nothing changed: at most one twentieth of the first; gates only: at most one quarter",
        "holds": ratio <= UNCHANGED and changed <= GATES_ONLY,
    }


def _figures(took: Took) -> dict[str, float]:
    return {"wall s": round(took.wall, 2), "CPU s": round(took.cpu, 2)}
