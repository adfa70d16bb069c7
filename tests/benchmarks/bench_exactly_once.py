"""Labels replayed, shuffled and reconciled by processes that are killed: the same tables and metrics as a quiet run."""

import tempfile
from pathlib import Path
from typing import Any

from tests.monitoring.killing import quiet, tormented, world

ROWS, KILLS, ROUNDS = 30_000, 12, 3


def run() -> dict[str, Any]:
    """Three times, each with another disorder."""
    answered, said = world(ROWS, seed=1)
    with tempfile.TemporaryDirectory(prefix="acts-bench-") as folder:
        places = [Path(folder) / str(number) for number in range(ROUNDS + 1)]
        for place in places:
            place.mkdir()
        wanted = quiet(places[0], answered, said)
        rounds = [tormented(place, answered, said, KILLS, seed) for seed, place in enumerate(places[1:])]
    same = [found.equal(wanted) for found, _ in rounds]
    return {
        "what": f"{ROWS:,} answers and {len(said):,} labels, half of them sent twice, in any order",
        "figures": {
            "outcomes": wanted.outcomes.height,
            "labelled answers": wanted.labelled,
            "accuracy": wanted.accuracy,
            "processes killed at work": [killed for _, killed in rounds],
            "the same tables and metrics": same,
        },
        "ratio": sum(same) / len(same),
        "goal": "the same tables and the same metrics each time",
        "holds": all(same) and all(killed > 0 for _, killed in rounds),
    }
