"""What Prometheus scrapes: requests, latencies, batches, queues, digests, the log's backlog.

Requests count in plain numbers, which only the event loop writes; prometheus_client puts them into words when somebody
scrapes. Its own counters lock, and would cost a request a tenth of its time.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
ROWS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Distribution:
    """How many values fell into which bucket, and their sum."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds, self.counts, self.total = bounds, [0] * (len(bounds) + 1), 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def buckets(self) -> list[tuple[str, float]]:
        """Cumulated, as Prometheus has them."""
        found, below = [], 0
        for bound, count in zip((*(f"{b:g}" for b in self.bounds), "+Inf"), self.counts, strict=True):
            below += count
            found.append((bound, float(below)))
        return found


class ModelMetrics:
    """What one model did."""

    def __init__(self) -> None:
        self.request_seconds, self.batch_rows = Distribution(SECONDS), Distribution(ROWS)
        self.rows, self.run_seconds, self.swaps, self.labels = 0, 0.0, 0, 0

    def ran(self, rows: int, seconds: float) -> None:
        """A run of the model."""
        self.batch_rows.add(rows)
        self.rows += rows
        self.run_seconds += seconds


class Metrics(Collector):
    """All metrics of one server, in a registry of its own."""

    def __init__(self) -> None:
        self.loaded: Callable[[], dict[tuple[str, str, str], int]] = dict
        self.log_rows: Callable[[], dict[str, float]] = dict
        self._models: dict[str, ModelMetrics] = {}
        self._codes: dict[tuple[str, int], int] = {}
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def of(self, model: str) -> ModelMetrics:
        """The metrics of a model."""
        return self._models.setdefault(model, ModelMetrics())

    def answered(self, model: str, code: int) -> None:
        """Count a request; ``model`` is empty where none was meant."""
        self._codes[model, code] = self._codes.get((model, code), 0) + 1

    def text(self) -> bytes:
        """The exposition format, version 0.0.4."""
        return bytes(generate_latest(self._registry))

    def collect(self) -> Iterator[Metric]:
        """For prometheus_client."""
        requests = CounterMetricFamily("acts_requests", "Requests, by what was answered.", labels=["model", "code"])
        for (model, code), count in list(self._codes.items()):
            requests.add_metric([model, str(code)], count)
        yield requests
        yield from self._of_models()
        queue = GaugeMetricFamily("acts_queue_rows", "Rows that wait for a run.", labels=["model", "place"])
        loaded = GaugeMetricFamily("acts_model", "1 for each version in memory.", labels=["model", "onnx", "place"])
        for (model, onnx, place), waiting in self.loaded().items():
            loaded.add_metric([model, onnx, place], 1)
            queue.add_metric([model, place], waiting)
        yield from (queue, loaded)
        log = GaugeMetricFamily("acts_prediction_log_rows", "Rows of the prediction log, by state.", labels=["state"])
        for state, rows in self.log_rows().items():
            log.add_metric([state], rows)
        yield log

    def _of_models(self) -> Iterator[Metric]:
        names = list(self._models)
        seconds = HistogramMetricFamily("acts_request_seconds", "From a request to its answer.", labels=["model"])
        batches = HistogramMetricFamily("acts_batch_rows", "Rows that went into one run.", labels=["model"])
        for name in names:
            of = self._models[name]
            seconds.add_metric([name], of.request_seconds.buckets(), of.request_seconds.total)
            batches.add_metric([name], of.batch_rows.buckets(), of.batch_rows.total)
        yield from (seconds, batches)
        for name, help_text, attribute in (
            ("acts_rows", "Rows answered.", "rows"),
            ("acts_run_seconds", "Seconds spent in onnxruntime.", "run_seconds"),
            ("acts_labels", "Labels taken and on the disk.", "labels"),
            ("acts_swaps", "Times that another version went live.", "swaps"),
        ):
            family = CounterMetricFamily(name, help_text, labels=["model"])
            for model in names:
                family.add_metric([model], getattr(self._models[model], attribute))
            yield family
