"""One tool of the rules benchmark in a process of its own: ``TOOL CONTRACT PARQUET RUNS`` -> JSON on the last line.

Processor seconds of this process and its children. Imports are timed apart. Runs in datacontract-cli's own environment
as well, so nothing of the project is imported before it is asked for.
"""

import contextlib
import io
import json
import logging
import re
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

COUNT = re.compile(r"was (\d+)")
KINDS = {
    "field_required": "required", "field_unique": "unique", "field_minimum": "minimum", "field_maximum": "maximum",
    "field_enum": "enum", "field_regex": "pattern",
}  # fmt: skip


def cpu() -> float:
    """User and system seconds so far."""
    uses = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in uses)


def hand(_contract: str, parquet: str) -> Callable[[], dict[str, int]]:
    """One polars scan, written out."""
    from tests.benchmarks.rules_table import by_hand

    return lambda: by_hand(parquet)


def ours(contract: str, parquet: str) -> Callable[[], dict[str, int]]:
    """``check_rows``, types included."""
    import polars as pl

    from dagster_project.data.rules import check_rows
    from dagster_project.domain.odcs import load_contract

    made = load_contract(Path(contract).read_bytes(), "data_contracts/rows.yaml")
    return lambda: check_rows(pl.scan_parquet(parquet), made).tally.counts


def datacontract(contract: str, _parquet: str) -> Callable[[], dict[str, int]]:
    """datacontract-cli in process, references not fetched."""
    from datacontract.data_contract import DataContract

    logging.disable(logging.CRITICAL)

    def test() -> dict[str, int]:
        run = DataContract(data_contract_file=contract, inline_references=False).test()
        counts = {}
        for check in run.checks:
            kind = KINDS.get(check.type)
            if kind and check.result in ("passed", "failed"):
                counts[f"{check.field}.{kind}"] = int(COUNT.findall(check.reason or "was 0")[0])
        return counts

    return test


def main() -> None:
    """Import, run so often, print."""
    tool, contract, parquet, runs = sys.argv[1:]
    before = cpu()
    with contextlib.redirect_stdout(io.StringIO()):
        call = {"hand": hand, "ours": ours, "datacontract": datacontract}[tool](contract, parquet)
        imported, walls, used = cpu() - before, [], []
        for _ in range(int(runs)):
            start, wall = cpu(), time.perf_counter()
            counts = call()
            used.append(cpu() - start)
            walls.append(time.perf_counter() - wall)
    print(json.dumps({"import": imported, "cpu": used, "wall": walls, "counts": counts}))


if __name__ == "__main__":
    main()
