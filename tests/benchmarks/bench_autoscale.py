"""GPU nodes from none to two and back in a real search, and what is left when somebody dies.

Kubernetes, KubeRay and the GPUs are played (tests/kubernetes/README.md); the autoscaler, the training program, the
launcher, the reaper and the deaths are real.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

from tests import strict
from tests.compute.deaths import DEATHS, WITHOUT_OPERATOR, Left, died
from tests.compute.on_kubernetes import IDLE
from tests.compute.searching import Searched, searched

SLACK = 5.0


def run() -> dict[str, Any]:
    """A quarter of an hour; needs root. BENCH_DEATHS=0 leaves the deaths out."""
    with tempfile.TemporaryDirectory() as folder:
        search = searched(Path(folder))
    print(_search(search), flush=True)
    wanted = DEATHS if os.environ.get("BENCH_DEATHS", "1") != "0" else {}
    deaths = {name: _died(name) for name in wanted}
    clean = all(left.shared == () and not _stays(name, left) for name, left in deaths.items())
    return {
        "what": "a search of four trials with a GPU each on a Kubernetes double with Ray's autoscaler; seven deaths",
        "figures": {
            **_search(search),
            "held against KubeRay's schemas": strict.THERE,
            "deaths": {name: _death(left) for name, left in deaths.items()},
        },
        "ratio": round(search.seen.idle / IDLE, 2),
        "goal": f"0, 2, 0 GPU nodes, the last gone {IDLE + SLACK:.0f} s after work; nothing left after any death",
        "holds": clean and search.code == 0 and search.seen.most == 2 and search.seen.idle <= IDLE + SLACK
        and (search.left, search.shared) == ((), ()),
    }  # fmt: skip


def _died(name: str) -> Left:
    with tempfile.TemporaryDirectory() as folder:
        left = died(name, Path(folder))
    print(f"{name}: {_death(left)}", flush=True)
    return left


def _stays(name: str, left: Left) -> tuple[str, ...]:
    """What stays though it should not: without an operator nobody takes its finalizer from the RayJob."""
    held = ("rayjobs", "jobs", "pods") if name == WITHOUT_OPERATOR else ()
    return tuple(line for line in left.after if line.split()[0] not in held)


def _search(search: Searched) -> dict[str, Any]:
    lease = search.result.lease if search.result else None
    return {
        "seconds, GPU nodes, busy ones": search.seen.changes,
        "last node gone after the last work, s": round(search.seen.idle, 1),
        "the whole build, s": round(search.seconds, 1),
        "the ledger": f"{lease.what}, {lease.amount:.3f} {lease.currency}" if lease else None,
        "left": [*search.left, *search.shared],
    }


def _death(left: Left) -> dict[str, Any]:
    return {
        "exit code": left.code,
        "left before the reaper": sorted({line.split()[0] for line in left.before}),
        "left after it": sorted({line.split()[0] for line in left.after}),
        "last machine gone after, s": round(left.seconds, 1),
        "the ledger says": list(left.outcomes),
        "left in shared memory": list(left.shared),
    }
