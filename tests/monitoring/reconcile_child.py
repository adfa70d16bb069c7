"""Reconcile in a process of its own, in small batches, so that it can be killed between any two of them."""

import sys
from datetime import datetime
from pathlib import Path

from dagster_project.monitoring import answer_intake, reconcile
from tests.monitoring.test_reconcile import sent_only

if __name__ == "__main__":
    folder, now, rows = sys.argv[1:]
    reconcile.BATCH_ROWS = int(rows)
    answer_intake.take_answers.__defaults__ = (int(rows),)
    reconcile.reconcile(sent_only(Path(folder)), datetime.fromisoformat(now))
