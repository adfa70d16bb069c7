"""One label of a request, held against the model. Every reader raises Wrong, in words."""

import math
import re
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

import msgspec

from dagster_project.domain.contract import Scalar
from dagster_project.domain.prediction import label_text
from dagster_project.storage.label_frames import Label

from .event_times import microseconds
from .problems import Wrong, listed, shown

TEXT_LENGTH = 200
"""Characters that an id, an event or a name may have."""
SKEW = 60_000_000
"""Microseconds that a sender's clock may be ahead."""
KEYS = ("row_id", "id", "label", "known", "event")
_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Terms:
    """What labels of a model are: one of ``classes``, or a number where there are none.

    ``kept_id`` turns the contract's id into what the prediction log keeps of it; None where the contract has no id.
    """

    model: str
    classes: tuple[Scalar, ...]
    kept_id: Callable[[str], str] | None


@dataclass(frozen=True)
class Sent:
    """When labels came (microseconds since 1970), who sent them, and whether it was a person on the review page."""

    received: int
    who: str | None = None
    kind: Literal["natural", "human"] = "natural"

    @property
    def source(self) -> str:
        """Where they come from."""
        return "review" if self.kind == "human" else "client"


def read_label(entry: Any, terms: Terms, sent: Sent) -> Label:
    """The label that ``entry`` is; without an ``event`` of its own, what is said again is the same event.

    Raises:
        Wrong: with everything that is wrong with it.
    """
    if type(entry) is not dict:
        raise Wrong("it is no object; send row_id or id, and label")
    wrong = [f"{shown(key)} means nothing here; a label has {', '.join(KEYS)}" for key in entry if key not in KEYS]
    found: dict[str, Any] = {}
    for read in (_row, _truth, _known, _event):
        try:
            found |= read(entry, terms, sent)
        except Wrong as said:
            wrong.append(str(said))
    if wrong:
        raise Wrong("; ".join(wrong))
    event, known = found.pop("event"), found.pop("known")
    about = {"model": terms.model, "kind": sent.kind, "source": sent.source, "who": sent.who, **found}
    when = sent.received if known is None else known
    return Label(event=_digest(about, known) if event is None else event, known=when, received=sent.received, **about)


def text_of(name: str, value: Any) -> str:
    """A text that may be kept."""
    if type(value) is not str or not 0 < len(value) <= TEXT_LENGTH:
        raise Wrong(f"{name} {shown(value)} is no text of 1 to {TEXT_LENGTH} characters")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Wrong(f"{name} {shown(value)} is no Unicode text") from None
    return value


def _row(entry: dict[str, Any], terms: Terms, _: Sent) -> dict[str, Any]:
    row_id, contract_id = entry.get("row_id"), entry.get("id")
    if (row_id is None) == (contract_id is None):
        raise Wrong("send either row_id or id")
    if row_id is None:
        if terms.kept_id is None:
            raise Wrong("the contract has no id; send row_id")
        return {"id": terms.kept_id(text_of("id", contract_id))}
    if type(row_id) is not str or not _UUID7.fullmatch(row_id):
        raise Wrong(f"row_id {shown(row_id)} is no UUIDv7; send one that an answer had in row_ids")
    return {"row_id": str(uuid.UUID(row_id))}


def _truth(entry: dict[str, Any], terms: Terms, _: Sent) -> dict[str, Any]:
    value = entry.get("label")
    if value is None:
        raise Wrong("label is missing")
    if terms.classes:
        kinds = {label_text(known): type(known) for known in terms.classes}
        text = label_text(value) if type(value) in (str, int, bool) else ""
        if text not in kinds or type(value) not in (str, kinds[text]):
            raise Wrong(f"label {shown(value)} is none of {listed(list(kinds))}")
        return {"label": text}
    if type(value) not in (int, float) or not abs(value) <= sys.float_info.max or math.isnan(value):
        raise Wrong(f"label {shown(value)} is no finite number")
    return {"value": float(value)}


def _known(entry: dict[str, Any], _: Terms, sent: Sent) -> dict[str, Any]:
    text = entry.get("known")
    if text is None:
        return {"known": None}
    if type(text) is not str or not text:
        raise Wrong(f"known {shown(text)} is no time; send text as 2026-03-31T23:59:59Z")
    try:
        known = microseconds(text)
    except Wrong as wrong:
        raise Wrong(f"known {wrong}") from None
    if known > sent.received + SKEW:
        raise Wrong(f"known {shown(text)} lies in the future; send labels once they are known")
    return {"known": known}


def _event(entry: dict[str, Any], terms: Terms, sent: Sent) -> dict[str, Any]:
    """The sender's own key, which is this model's and this sender's: others may count the same way."""
    event = entry.get("event")
    if event is None:
        return {"event": None}
    return {"event": f"{terms.model}/{sent.who or sent.source}/{text_of('event', event)}"}


def _digest(about: dict[str, Any], known: int | None) -> str:
    return sha256(msgspec.json.encode([sorted(about.items()), known])).hexdigest()[:32]
