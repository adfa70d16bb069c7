"""The holdout's budget, as logic over the ledger's rows.

Each counted judgement spends ``LEVEL / judgements`` of the significance level; nothing is judged beyond ``LEVEL``. As
long as a challenger that fails learns that it failed and nothing else, what a contributor does next is one fixed
sequence of challengers, and by the union bound an equal replaces the champion with probability at most ``LEVEL``,
however the sequence was chosen (Blum and Hardt 2015, arXiv 1502.04585, section 3; Dwork et al. 2015, arXiv 1506.02629).
A number published from the holdout for a failed challenger breaks this: ``tests/benchmarks/bench_gate.py`` shows how.

The bound ends where challengers pass. Whoever owns a truly better model and has many variants of it judged without
promoting any learns from each one's gain, and may then tune an equal of the next champion; the ledger shows them.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from math import isclose
from typing import Literal

from pydantic import Field

from .base import StrictModel, digest_of_bytes
from .verdict import HoldoutUse

LEVEL = 0.05
LEDGER = "judgements"


class JudgementRow(StrictModel):
    """One counted judgement in the ledger. It is appended before the holdout is read, so a kill costs it."""

    schema_version: Literal[1] = 1
    model: str
    holdout: str = Field(description="digest of the holdout's rows, and of the blob that holds their hashes")
    budget: str = Field(description="the holdout that began this budget: all until the next renewal share it")
    onnx: str = Field(description="the challenger")
    champion: str | None
    significance: float = Field(gt=0.0, le=LEVEL, description="what it spent")
    base: str | None = Field(default=None, description="commit whose rules judged")
    head: str | None = None
    at: str = Field(description="ISO 8601, UTC")


class Permission(StrictModel):
    """Whether the holdout may be asked. ``spends``: this judgement must be in the ledger before the rows are read."""

    granted: bool
    use: HoldoutUse
    budget: str
    spends: bool
    reason: str = ""

    def row(
        self, model: str, onnx: str, champion: str | None, base: str | None, head: str | None, at: str
    ) -> JudgementRow:
        """The ledger row of a permission that ``spends``."""
        return JudgementRow(
            model=model,
            holdout=self.use.holdout,
            budget=self.budget,
            onnx=onnx,
            champion=champion,
            significance=self.use.significance,
            base=base,
            head=head,
            at=at,
        )


class HoldoutRequest(StrictModel):
    """A challenger that passed every validation gate asks."""

    model: str
    onnx: str
    holdout: str
    rows: int
    judgements: int = Field(ge=1)
    renewal: int = Field(ge=1)
    fresh: int | None = Field(description="newly labelled rows since the last judgement; None: there was none")


def ask(request: HoldoutRequest, ledger: Sequence[JudgementRow]) -> Permission:
    """Whether ``request`` may be judged. The same bytes on the same rows are judged again for nothing."""
    rows = [row for row in ledger if row.model == request.model]
    renewed = not rows or request.fresh is None or request.fresh >= request.renewal
    again = [row for row in rows if (row.holdout, row.onnx) == (request.holdout, request.onnx)]
    if again:
        return _permission(request, rows, again[-1].budget, again[-1].significance, spends=False)
    budget = request.holdout if renewed else rows[-1].budget
    return _permission(request, rows, budget, LEVEL / request.judgements, spends=True)


def confirm(answer: Permission, request: HoldoutRequest, ledger: Sequence[JudgementRow]) -> Permission:
    """The permission once its row is in the ledger: refused where others wrote at the same time and all is spent.

    Judges on several machines share no lock. Each appends first and counts afterwards, its own row too, so that of two
    who reach for the last judgement at once none takes it, and never both.
    """
    rows = [row for row in ledger if row.model == request.model]
    return _permission(request, rows, answer.budget, answer.use.significance, spends=False)


def _permission(
    request: HoldoutRequest, rows: Sequence[JudgementRow], budget: str, significance: float, spends: bool
) -> Permission:
    counted = {(row.holdout, row.onnx): row.significance for row in rows if row.budget == budget}
    spent = sum(counted.values()) + (significance if spends else 0.0)
    granted = spent <= LEVEL or isclose(spent, LEVEL, rel_tol=1e-9)
    use = HoldoutUse(
        holdout=request.holdout,
        rows=request.rows,
        judgements=request.judgements,
        used=len(counted) + (spends and granted),
        counted=spends and granted,
        significance=significance,
    )
    missing = request.renewal - (request.fresh or 0)
    reason = f"The holdout's budget is spent: {len(counted)} judgements. {missing} more newly labelled rows renew it."
    return Permission(
        granted=granted, use=use, budget=budget, spends=spends and granted, reason="" if granted else reason
    )


def judged_holdouts(model: str, ledger: Iterable[JudgementRow]) -> tuple[str, ...]:
    """Digests of every holdout that ``model`` was judged on, in the ledger's order."""
    return tuple(dict.fromkeys(row.holdout for row in ledger if row.model == model))


def fresh_rows(current: Iterable[int], known: Mapping[str, bytes]) -> int | None:
    """How many of the ``current`` holdout's row hashes are in none of the ``known`` sets (see :func:`pack_rows`).

    ``known`` are all holdouts judged so far, by digest, and any rows that were trained or chosen on before: a row that
    merely moved into the holdout is not newly labelled. None when nothing is known.
    """
    if not known:
        return None
    rows = set(current)
    for packed in known.values():
        rows.difference_update(unpack_rows(packed))
    return len(rows)


def pack_rows(hashes: Iterable[int]) -> bytes:
    """Row hashes (unsigned, 64 bits) as bytes: sorted, each once, little-endian. Their digest names the holdout."""
    packed = array("Q", sorted(set(hashes)))
    return _little(packed).tobytes()


def unpack_rows(packed: bytes) -> "array[int]":
    """Inverse of :func:`pack_rows`."""
    return _little(array("Q", packed))


def holdout_digest(packed: bytes) -> str:
    """Name of a holdout: the digest of its packed row hashes."""
    return digest_of_bytes(packed)


def bound_confidence(confidence: float, significance: float) -> float:
    """Two-sided confidence of a bound gate's interval when the budget leaves ``significance`` of ``LEVEL``."""
    return 1 - (1 - confidence) * significance / LEVEL


def _little(values: "array[int]") -> "array[int]":
    import sys

    if sys.byteorder == "big":
        values = values[:]
        values.byteswap()
    return values
