"""The trusted ledger of holdout judgements: asked, written before the rows are read, one judge at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dagster_project.domain.contract import DataContract
from dagster_project.domain.decide import Case
from dagster_project.domain.holdout import (
    LEDGER,
    HoldoutRequest,
    JudgementRow,
    Permission,
    ask,
    confirm,
    fresh_rows,
    holdout_digest,
    judged_holdouts,
    pack_rows,
    unpack_rows,
)
from dagster_project.domain.spec import ModelSpec
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.ledger import Ledger
from dagster_project.storage.store import ArtifactStore

if TYPE_CHECKING:
    import polars as pl


def permission(
    workspace: Workspace,
    store: ArtifactStore,
    spec: ModelSpec,
    contract: DataContract,
    holdout: pl.DataFrame,
    case: Case,
) -> Permission:
    """Ask for one judgement on ``holdout`` and, where it is granted and costs one, write it down."""
    books = _Books(workspace, store)
    with _one_at_a_time(workspace, spec.name):
        request, packed, rows = books.request(spec, contract, holdout, str(case.challenger_onnx))
        answer = ask(request, rows)
        if answer.granted and answer.spends:
            books.packs.put(packed)
            at = datetime.now(UTC).isoformat()
            row = answer.row(spec.name, request.onnx, case.champion, case.base, case.head, at)
            books.ledger.append(row.model_dump(mode="json"))
            confirmed = confirm(answer, request, books.rows())
            answer = answer if confirmed.granted else confirmed
    return answer


def outlook(
    workspace: Workspace, store: ArtifactStore, spec: ModelSpec, contract: DataContract, holdout: pl.DataFrame
) -> Permission:
    """What a challenger that nobody judged yet would be answered. Nothing is written down."""
    request, _, rows = _Books(workspace, store).request(spec, contract, holdout, "")
    return ask(request, rows)


class _Books:
    """The ledger of judgements and the sets of rows that were judged."""

    def __init__(self, workspace: Workspace, store: ArtifactStore) -> None:
        self.ledger = Ledger(workspace.ledger, LEDGER)
        # Beside the ledger: whoever may append to it need not be allowed to write the store.
        self.packs = ArtifactStore(f"{workspace.ledger}/holdouts", store)

    def rows(self) -> list[JudgementRow]:
        """Every judgement so far."""
        return [_row(row) for row in self.ledger.rows()]

    def request(
        self, spec: ModelSpec, contract: DataContract, holdout: pl.DataFrame, onnx: str
    ) -> tuple[HoldoutRequest, bytes, list[JudgementRow]]:
        """What is asked, the holdout's packed hashes, and the judgements that it is held against."""
        from dagster_project.data.splits import row_hashes

        packed, rows = pack_rows(row_hashes(holdout, contract).tolist()), self.rows()
        known = {digest: self.packs.get(digest) for digest in judged_holdouts(spec.name, rows)}
        request = HoldoutRequest(
            model=spec.name,
            onnx=onnx,
            holdout=holdout_digest(packed),
            rows=holdout.height,
            judgements=spec.split.holdout.judgements,
            renewal=spec.split.holdout.renewal,
            fresh=fresh_rows(unpack_rows(packed), known),
        )
        return request, packed, rows


def _row(row: dict[str, object]) -> JudgementRow:
    return JudgementRow.model_validate({key: value for key, value in row.items() if key != "written"})


@contextmanager
def _one_at_a_time(workspace: Workspace, model: str) -> Iterator[None]:
    """Two judges at once must not both take the last judgement."""
    from filelock import FileLock

    path = workspace.home / "locks" / f"judge-{model}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path):
        yield
