"""What Prometheus scrapes: requests, latencies, batches, queues, digests, the log's backlog."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True)
class ModelMetrics:
    """One model's metrics, with their labels bound: looking labels up costs more than counting."""

    request_seconds: Any
    batch_rows: Any
    run_seconds: Any
    rows: Any


class Metrics:
    """All metrics of one server, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        own: dict[str, Any] = {"registry": self.registry}
        self._requests = Counter("acts_requests", "Requests, by what was answered.", ["model", "code"], **own)
        self._seconds = Histogram(
            "acts_request_seconds", "Seconds from a whole request to its answer.", ["model"], buckets=SECONDS, **own
        )
        self._rows = Counter("acts_rows", "Rows answered.", ["model"], **own)
        self._batch = Histogram("acts_batch_rows", "Rows that went into one run.", ["model"], buckets=ROWS, **own)
        self._run = Counter("acts_run_seconds", "Seconds spent in onnxruntime.", ["model"], **own)
        self._queue = Gauge("acts_queue_rows", "Rows that wait for a run.", ["model"], **own)
        self._model = Gauge("acts_model", "1 for each version that is loaded.", ["model", "onnx", "place"], **own)
        self._log = Gauge("acts_prediction_log_rows", "Rows of the prediction log, not yet on disk.", ["state"], **own)
        self._swaps = Counter("acts_swaps", "Times that another version went live.", ["model"], **own)
        self._codes: dict[tuple[str, int], Any] = {}

    def of(self, model: str) -> ModelMetrics:
        """The metrics of a model."""
        made = (self._seconds, self._batch, self._run, self._rows)
        return ModelMetrics(*(metric.labels(model) for metric in made))

    def answered(self, model: str, code: int) -> None:
        """Count a request; ``model`` is empty where none was meant."""
        counter = self._codes.get((model, code))
        if counter is None:
            counter = self._codes[model, code] = self._requests.labels(model, str(code))
        counter.inc()

    def swapped(self, model: str) -> None:
        """Another version went live."""
        self._swaps.labels(model).inc()

    def versions(self, loaded: dict[tuple[str, str, str], int]) -> None:
        """What is loaded: (model, digest, place) -> rows that wait for it."""
        self._model.clear()
        self._queue.clear()
        for (model, onnx, place), waiting in loaded.items():
            self._model.labels(model, onnx, place).set(1)
            self._queue.labels(model).inc(waiting)

    def log(self, backlog: Callable[[], float], dropped: Callable[[], float]) -> None:
        """Read the prediction log's state whenever somebody looks."""
        self._log.labels("backlog").set_function(backlog)
        self._log.labels("dropped").set_function(dropped)

    def text(self) -> bytes:
        """The exposition format, version 0.0.4."""
        return bytes(generate_latest(self.registry))
