"""What servers report, held against a desired state. Pure."""

from collections.abc import Iterable, Set
from datetime import datetime

from ci.deploying.standing import Fleet, ModelStanding, ServerStanding
from dagster_project.domain.deployment import DesiredModel, DesiredState, ServedModel, ServerReport, Version
from dagster_project.domain.rollout import Place

_FIRST: tuple[Place, ...] = ("live", "canary", "shadow")


def fleet(
    digest: str,
    state: DesiredState,
    reports: Iterable[ServerReport],
    now: datetime,
    watched: Set[str] = frozenset(),
) -> Fleet:
    """Servers held against ``state``. A dead one counts only where it is ``watched``: it died meanwhile."""
    servers, dead = [], {}
    for report in reports:
        silent = None if report.is_fresh(now) else (now - report.written).total_seconds()
        if silent is None or report.server in watched:
            servers.append(_standing(digest, state, report, silent))
        else:
            dead[report.server] = silent
    return Fleet(servers=tuple(servers), dead=dead)


def _standing(digest: str, state: DesiredState, report: ServerReport, silent: float | None) -> ServerStanding:
    wanted = [_model(model, report.models.get(name, ServedModel())) for name, model in sorted(state.models.items())]
    withdrawn = [_withdrawn(name, report.models[name]) for name in sorted(report.models.keys() - state.models.keys())]
    return ServerStanding(
        server=report.server,
        address=report.address,
        seen=report.desired == digest,
        silent=silent,
        models=(*wanted, *withdrawn),
    )


def _model(wanted: DesiredModel, served: ServedModel) -> ModelStanding:
    versions = sorted(served.versions, key=lambda version: _FIRST.index(version.place))
    found = next((version for version in versions if version.onnx == wanted.onnx), None)
    return ModelStanding(
        model=wanted.name,
        wanted=wanted.onnx,
        place=found.place if found else None,
        answers=found.answers if found else 0,
        live=_live(served.versions),
        error=served.error,
    )


def _withdrawn(name: str, served: ServedModel) -> ModelStanding:
    return ModelStanding(model=name, wanted=None, live=_live(served.versions), error=served.error)


def _live(versions: Iterable[Version]) -> str | None:
    return next((version.onnx for version in versions if version.place == "live"), None)
