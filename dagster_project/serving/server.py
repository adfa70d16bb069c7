"""Put a server together, and run it."""

import logging
import os
import secrets
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from dagster_project.domain.deployment import DesiredState
from dagster_project.domain.errors import MachineryError
from dagster_project.domain.workspace import Workspace
from dagster_project.serving.answering import Answerer
from dagster_project.serving.app import App
from dagster_project.serving.explaining import Explainer
from dagster_project.serving.guard import Guard
from dagster_project.serving.labelling import Labeller
from dagster_project.serving.memory import give_back_large_blocks
from dagster_project.serving.metrics import Metrics
from dagster_project.serving.prediction_log import PredictionLog, log_key
from dagster_project.serving.rate import RateLimit
from dagster_project.serving.reconcile import Reconciler
from dagster_project.serving.registry import Registry
from dagster_project.serving.reviewing import Reviewer
from dagster_project.serving.tokens import Tokens, may_listen
from dagster_project.serving.views import Views
from dagster_project.storage.deployments import Deployments
from dagster_project.storage.store import ArtifactStore

MAX_BODY = 64 * 1024 * 1024
GRACE = 10  # seconds that open requests have when the server is asked to end


@dataclass(frozen=True)
class Settings:
    """How one server runs. ``poll`` in seconds; ``rate`` in requests a second of one caller, 0 is no limit."""

    workspace: Workspace
    host: str = "127.0.0.1"
    port: int = 8080
    tokens: Path | None = None
    poll: float = 1.0
    rate: float = 0.0
    body_bytes: int = MAX_BODY


def make_app(settings: Settings, tokens: Tokens) -> App:
    """The application, before it follows anything.

    Raises:
        MachineryError: the prediction log's folder can't be written.
    """
    workspace, server = settings.workspace, server_id()
    store, metrics = ArtifactStore(workspace.store), Metrics()
    registry = Registry(metrics)
    folder = Path(workspace.serving_log)
    try:
        key = log_key(folder)
    except OSError as error:
        raise MachineryError(f"{folder}: the prediction log can't be written: {error.strerror}.") from error
    log = PredictionLog(folder, server, flush=1.0)
    reviewer = Reviewer(workspace.serving)
    labeller = Labeller(registry, workspace.serving_labels, server, key, reviewer)
    metrics.loaded = registry.waiting
    metrics.log_rows = lambda: {"backlog": log.backlog, "dropped": log.dropped}

    def followed(state: DesiredState) -> None:
        flushes = [model.serving.log.flush.total_seconds() for model in state.models.values()]
        log.flush = min(flushes, default=1.0)

    address = f"http://{settings.host}:{settings.port}"
    deployments = Deployments(store, workspace.serving)
    reconciler = Reconciler(server, address, store, deployments, registry, metrics, settings.poll, followed)
    rate = RateLimit(settings.rate, max(1.0, 2 * settings.rate)) if settings.rate else None

    async def closing() -> None:
        await reconciler.leave()
        labeller.close()
        reviewer.close()
        log.close()

    views = Views(registry, reconciler, metrics)
    return App(
        registry, reconciler, Answerer(registry, log, key), Explainer(), labeller, reviewer, metrics,
        Guard(tokens, rate), views, settings.body_bytes, closing,
    )  # fmt: skip


def serve(settings: Settings) -> None:
    """Run until SIGTERM or Ctrl-C; open requests are answered first.

    Raises:
        UsageError: a public address without tokens, or a wrong token file.
        MachineryError: the port is taken, or the log can't be written.
    """
    import uvicorn

    from dagster_project.serving.uvicorn_protocol import WholeProtocol

    tokens = Tokens.load(settings.tokens, os.environ)
    may_listen(settings.host, tokens)
    structured_logs()
    give_back_large_blocks()
    listening = _listen(settings.host, settings.port)
    port = listening.getsockname()[1]
    app = make_app(Settings(**{**settings.__dict__, "port": port}), tokens)
    app.arriving = 0
    config = uvicorn.Config(
        app, interface="asgi3", loop="uvloop", http=WholeProtocol, ws="none", lifespan="on", proxy_headers=False,
        access_log=False, log_config=None, server_header=False, date_header=False, backlog=2048,
        timeout_graceful_shutdown=GRACE,
    )  # fmt: skip
    nothing = Deployments(ArtifactStore(settings.workspace.store), settings.workspace.serving).desired() is None
    hint = " (nothing is deployed yet: run acts deploy)" if nothing else ""
    print(f"serving on http://{settings.host}:{port}{hint}", flush=True)
    uvicorn.Server(config).run(sockets=[listening])


def server_id() -> str:
    """A name for this process, in reports and in the log."""
    return f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(3)}"


def structured_logs() -> None:
    """One JSON object a line on standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)


class JsonLines(logging.Formatter):
    """time, level, logger, message and, for an error, its traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise MachineryError(f"{host}:{port} can't be listened on: {error.strerror}. Choose another --port.") from error
    listening.listen(2048)  # from here on nobody is refused
    return listening
