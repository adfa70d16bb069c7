"""The request that the training program is given: everything it may know, put together in one place."""

from .build import BuildRequest
from .fingerprint import keys_of
from .projection import Projection
from .snapshot import Snapshot, SplitResult
from .spec import ModelSpec


def build_request(
    spec: ModelSpec,
    projection: Projection,
    snapshot: Snapshot,
    split: SplitResult,
    *,
    store: str,
    result: str,
    cpus: int = 2,
) -> BuildRequest:
    """A request to train ``spec`` on the parts of ``split``; the bundle goes to ``store``."""
    keys = keys_of(spec, snapshot.digest)
    return BuildRequest(
        spec=spec,
        snapshot=snapshot,
        split=split,
        numeric=projection.numeric,
        categorical=projection.categorical,
        modalities=projection.modalities,
        shapes=projection.shapes,
        horizon=projection.horizon,
        season=projection.season,
        restricted=projection.restricted,
        sources=projection.sources,
        identifiers=projection.identifiers,
        build_key=keys.build,
        code_digest=keys.code,
        environment_digest=keys.environment,
        store=store,
        result=result,
        cpus=cpus,
    )
