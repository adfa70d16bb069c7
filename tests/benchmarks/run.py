"""``make bench [BENCH=NAME]``: runs benchmarks and leaves ``.acts/bench/NAME.json``.

A benchmark is a module ``bench_NAME`` with ``run() -> dict``: what, figures, ratio, goal, holds.
"""

import importlib
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent


def names() -> list[str]:
    """Benchmarks that there are, in alphabetical order."""
    return sorted(path.stem.removeprefix("bench_").replace("_", "-") for path in HERE.glob("bench_*.py"))


def machine() -> dict[str, Any]:
    """What ran it. Figures are to be read together with it."""
    return {
        "system": platform.system(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def run(name: str) -> dict[str, Any]:
    """Run one benchmark and write its figures."""
    where, started = machine(), time.time()
    result: dict[str, Any] = importlib.import_module(f"tests.benchmarks.bench_{name.replace('-', '_')}").run()
    result |= {"name": name, "machine": where, "seconds": round(time.time() - started, 1)}
    result["command"] = f"make bench BENCH={name}"
    path = REPOSITORY / ".acts" / "bench" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n")
    return result


def main() -> int:
    """Run those named, or all; 1 where a goal was not reached."""
    wanted = sys.argv[1:] or names()
    unknown = sorted(set(wanted) - set(names()))
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(names())}", file=sys.stderr)
        return 2
    held = True
    for name in wanted:
        print(f"{name}: running", flush=True)
        result = run(name)
        held &= bool(result["holds"])
        print(json.dumps(result["figures"], indent=2))
        print(
            f"{name}: {'holds' if result['holds'] else 'DOES NOT HOLD'}: {result['goal']} (ratio {result['ratio']})\n"
        )
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
