"""The server under Ray Serve: every replica is a whole server, and Ray Serve adds, removes and balances them.

    serve run dagster_project.serving.ray_app:app
    serve run dagster_project.serving.ray_app:build min_replicas=0 max_replicas=8

Ray Serve runs the application's lifespan: a replica takes requests once it is ready, and when it ends by itself it
flushes its log and takes its report away. Everything else comes from the environment (docs/serving-at-scale.md).
Import this module after the environment is set: Ray reads its variables when it is imported.
"""

import os

from ray import serve
from ray.serve import Application, Deployment
from ray.util import get_node_ip_address

from dagster_project.domain.errors import UsageError
from dagster_project.serving.environment import settings_from, warm_seconds
from dagster_project.serving.scaling import Scaling
from dagster_project.serving.server import make_app, structured_logs
from dagster_project.serving.tokens import Tokens
from dagster_project.serving.warm import Warm


def replica() -> Warm:
    """One replica's server, made where it runs.

    Raises:
        UsageError: there are no tokens, or a variable is wrong. Where Ray Serve listens is not known here, and behind
            HAProxy a replica listens on every interface by itself. So tokens are needed even on loopback.
        UserFileError: the token file is wrong.
        MachineryError: the prediction log's folder can't be written.
    """
    structured_logs()
    settings = settings_from(os.environ, get_node_ip_address())  # type: ignore[no-untyped-call]
    tokens = Tokens.load(settings.tokens, os.environ)
    if not tokens:
        raise UsageError("Under Ray Serve tokens are needed: set ACTS_TOKENS_FILE or ACTS_TOKENS.")
    return Warm(make_app(settings, tokens), warm_seconds(os.environ))


def build(scaling: Scaling) -> Application:
    """The application; ``args`` of a Serve configuration become ``scaling``."""
    deployment: Deployment = serve.deployment(name="server", **scaling.options())(serve.ingress(replica)())
    return deployment.bind()


app = build(Scaling())
