"""One champion in memory: loaded from the store by digest, held against its bundle's own answers, then warm."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from dagster_project.domain.bundle import REFERENCE, BundleManifest, Cell, Example, Reference
from dagster_project.domain.deployment import DesiredModel, ServedInput
from dagster_project.domain.errors import RefusedError
from dagster_project.inference.predictor import batches
from dagster_project.inference.session import session_options
from dagster_project.serving.signature import Signature
from dagster_project.storage.bundles import load_manifest, load_model
from dagster_project.storage.store import ArtifactStore

if TYPE_CHECKING:
    import numpy as np

TOLERANCE = 1e-5
WARM_UP = 20
Arrays = dict[str, "np.ndarray"]
"""By input or output, each with as many rows."""


@dataclass(frozen=True)
class LiveModel:
    """Answers rows. ``version`` is the short digest that clients see; ``run_seconds`` what one row took when warm."""

    desired: DesiredModel
    manifest: BundleManifest
    signature: Signature
    reference: Reference
    answer: Callable[[list[str], Arrays, None], "list[np.ndarray]"]
    run_seconds: float = 0.0

    @cached_property
    def name(self) -> str:
        """The model's name."""
        return self.desired.name

    @cached_property
    def onnx(self) -> str:
        """The digest of the ONNX file."""
        return self.desired.onnx

    @cached_property
    def version(self) -> str:
        """Its first twelve digits."""
        return self.onnx.removeprefix("sha256:")[:12]

    def run(self, columns: Arrays) -> Arrays:
        """Outputs by name for columns of shape (rows, width); raises onnxruntime's errors.

        A graph gives booleans as 0 and 1; from here on they are what they mean, in answers, log and comparisons alike.
        """
        rows = len(next(iter(columns.values())))
        if rows <= self._most:
            answers = dict(zip(self.outputs, self.answer(self.outputs, columns, None), strict=True))
        else:
            answers = self._in_parts(columns, rows)
        if self._boolean:
            answers["label"] = answers["label"].astype(bool)
        return answers

    def _in_parts(self, columns: Arrays, rows: int) -> Arrays:
        import numpy as np

        parts = [self.answer(self.outputs, part, None) for part in batches(columns, rows, self._most)]
        return {name: np.concatenate(each) for name, each in zip(self.outputs, zip(*parts, strict=True), strict=True)}

    @cached_property
    def _most(self) -> int:
        return self.manifest.rows_a_run

    @cached_property
    def _boolean(self) -> bool:
        return self.signature.datatypes.get("label") == "BOOL"

    @cached_property
    def deadline(self) -> float:
        """Seconds that a request has, as the spec says."""
        return self.desired.serving.deadline.total_seconds()

    @cached_property
    def outputs(self) -> list[str]:
        """Names of the outputs."""
        return list(self.manifest.outputs)


def load(store: ArtifactStore, desired: DesiredModel) -> LiveModel:
    """The model, ready to answer.

    Raises:
        RefusedError: the bytes are not the lock's, cannot be loaded, or do not answer as the bundle says.
        MachineryError: the store lacks something, or holds other bytes than a digest says.
    """
    manifest = load_manifest(store, desired.lock.bundle)
    if manifest.onnx_digest != desired.onnx:
        raise RefusedError(
            f"{desired.name}: the lock names {desired.onnx[:19]}, its bundle {manifest.onnx_digest[:19]}"
        )
    if REFERENCE not in manifest.files:
        raise RefusedError(
            f"{desired.name}: the bundle has no {REFERENCE}, so nothing shows that it answers; build again"
        )
    reference = Reference.from_json(store.get(manifest.files[REFERENCE].digest))
    session = make_session(load_model(store, manifest), desired.serving.threads)
    model = LiveModel(desired, manifest, Signature.of(desired, manifest), reference, session)
    verify(model)
    return LiveModel(desired, manifest, model.signature, reference, session, _warm_up(model))


def make_session(data: bytes, threads: int) -> "Callable[[list[str], Arrays, None], list[np.ndarray]]":
    """onnxruntime on ``threads`` cores: outputs by name for inputs by name."""
    import onnxruntime as ort

    session = ort.InferenceSession(data, session_options(threads), providers=["CPUExecutionProvider"])
    # The wrapper looks at every input's name and owner, which the signature has done: a quarter of a small model's run.
    run: Callable[[list[str], Arrays, None], list[np.ndarray]] = getattr(session, "_sess", session).run
    return run


def verify(model: LiveModel) -> None:
    """Raises RefusedError where the graph's answers to the bundle's examples are not the bundle's."""
    import numpy as np

    if not model.reference.examples:
        raise RefusedError(f"{model.name}: the bundle has no example, so nothing shows that it answers; build it again")
    for example in model.reference.examples:
        answers = model.run(columns_of(model, example))
        for name, expected in example.outputs.items():
            found = answers[name].reshape(-1).tolist()
            wanted = list(expected) if isinstance(expected, list) else [expected]
            same = found == wanted if name == "label" else np.allclose(found, wanted, rtol=0, atol=TOLERANCE)
            if not same:
                raise RefusedError(f"{model.name}: {name} of an example is {found}, the bundle says {wanted}")


def columns_of(model: LiveModel, *examples: Example) -> Arrays:
    """The examples' rows as columns of shape (rows, width)."""
    return {
        entry.name: tensor([example.inputs[entry.name] for example in examples], entry)
        for entry in model.signature.inputs
    }


def tensor(values: Sequence[Cell], served: ServedInput) -> "np.ndarray":
    """JSON values as a column of shape (rows, width): None is missing."""
    import numpy as np

    if served.dtype == "string":
        return np.array(["" if value is None else value for value in values], object).reshape(-1, 1)
    rows = [(None,) * served.width if value is None and served.width > 1 else value for value in values]
    return np.array(rows, np.float32).reshape(len(values), -1)  # numpy reads None as NaN


def _warm_up(model: LiveModel) -> float:
    """Seconds that a run of one row takes, at best."""
    columns, took = columns_of(model, model.reference.examples[0]), []
    for _ in range(WARM_UP):
        started = time.perf_counter()
        model.run(columns)
        took.append(time.perf_counter() - started)
    return min(took)
