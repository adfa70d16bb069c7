"""What a build says on a terminal: our own lines, not Dagster's hundreds of events. Those are in its run."""

import logging
import sys
from typing import Any

import dagster as dg

LOGGERS: dict[str, Any] = {"loggers": {"console": {}}}
"""Run configuration: without it Dagster uses a console of its own."""


class OwnLines(logging.Handler):
    """Messages that an asset logged, without time or prefix."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print the message, unless it is Dagster's own: its events and, as errors, what it did not run for them."""
        facts = getattr(record, "dagster_meta", {})
        line = str(facts.get("orig_message", record.getMessage()))
        if facts.get("dagster_event") is None and record.levelno < logging.ERROR and not line.startswith("[pipes]"):
            print(line, file=sys.stderr, flush=True)


@dg.logger
def console(_context: dg.InitLoggerContext) -> logging.Logger:
    """Lines at level INFO and above."""
    logger = logging.Logger("threeacts", logging.INFO)
    logger.addHandler(OwnLines())
    return logger
