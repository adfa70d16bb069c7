"""A passed verdict becomes a champion lock: the same verdict gives the same bytes."""

import yaml

from .bundle import BundleManifest
from .errors import RefusedError
from .lock import ChampionLock, LockedMetric
from .verdict import Measurement, Verdict
from .yamlfile import reads_as_text

CONFIDENCE = 0.95
_HEADER = "# Written by acts promote from a passed verdict. Any other edit is refused; git revert rolls back.\n"


def champion_lock(verdict: Verdict, manifest: BundleManifest, commit: str | None) -> ChampionLock:
    """The lock that ``verdict`` allows.

    Raises:
        RefusedError: the verdict allows none, or speaks of another bundle.
    """
    if verdict.outcome != "passed" or not verdict.promotable:
        why = " ".join(verdict.reasons) or f"the verdict is {verdict.outcome}."
        raise RefusedError(f"{verdict.subject.name}: nothing to promote: {why}")
    if verdict.challenger != manifest.content_digest():
        raise RefusedError(f"{verdict.subject.name}: the verdict is of another bundle. Run acts judge again.")
    return ChampionLock(
        model=manifest.model,
        onnx=manifest.onnx_digest,
        bundle=manifest.content_digest(),
        snapshot=manifest.snapshot,
        spec=manifest.training_digest,
        code=manifest.code_digest,
        environment=manifest.environment_digest,
        build_key=manifest.build_key,
        commit=commit,
        family=manifest.family,
        parameters=manifest.parameters,
        metrics={m.metric: _locked(m) for m in verdict.measurements if _is_own(m)},
        verdict=verdict.content_digest(),
        replaces=verdict.champion,
    )


def lock_text(lock: ChampionLock) -> str:
    """The file's text: sorted keys, one line a fact, the same for the same lock."""
    fields = lock.model_dump(mode="json")
    return _HEADER + yaml.dump(fields, Dumper=_Dumper, sort_keys=True, allow_unicode=True, width=120)


class _Dumper(yaml.SafeDumper):
    """Quotes what some reader would take for a number; all other text stays as it always was."""


_Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style=None if reads_as_text(text) else "'"
    ),
)


def _is_own(measurement: Measurement) -> bool:
    whole = measurement.rows == "validation" and measurement.slice is None and measurement.confidence == CONFIDENCE
    return whole and measurement.low is not None and measurement.high is not None


def _locked(measurement: Measurement) -> LockedMetric:
    low, high = measurement.low, measurement.high
    if low is None or high is None:
        raise ValueError(f"{measurement.metric}: no interval")
    return LockedMetric(value=round(measurement.value, 6), low=round(low, 6), high=round(high, 6))
