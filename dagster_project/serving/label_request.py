"""What a request says of the truth: labels of answered rows; all that is wrong with them at once."""

from collections.abc import Sequence
from typing import Any

from dagster_project.storage.label_frames import Label

from .label_entry import Sent, Terms, read_label, text_of
from .problems import BadRequest, Wrong, listed, shown
from .request_json import load

MOST_LABELS = 10_000
MOST_TOLD = 20
KEYS = ("labels", "review", "who")


def read_labels(body: bytes, terms: Terms, received: int, holder: str | None) -> list[Label]:
    """The labels of ``{"labels": [...], "review": false}``; ``holder`` is whom the sender's token was given to.

    Raises:
        BadRequest: anything is wrong with it; every wrong entry with its place.
    """
    entries, sent = _form(load(body), received, holder)
    labels, wrong = [], {}
    for place, entry in enumerate(entries):
        try:
            labels.append(read_label(entry, terms, sent))
        except Wrong as said:
            wrong[place] = str(said)
    if wrong:
        raise BadRequest(_refusal(wrong))
    return labels


def _form(document: Any, received: int, holder: str | None) -> tuple[list[Any], Sent]:
    if type(document) is not dict:
        raise BadRequest('the request is no object; send {"labels": [...]}')
    unknown = [shown(key) for key in document if key not in KEYS]
    if unknown:
        raise BadRequest(f"{listed(unknown)} means nothing here; a request has {', '.join(KEYS)}")
    entries, review = document.get("labels"), document.get("review")
    if type(entries) is not list or not entries:
        raise BadRequest("labels must be a list of at least one label")
    if len(entries) > MOST_LABELS:
        raise BadRequest(f"{len(entries):,} labels; send at most {MOST_LABELS:,} at a time")
    if review is not None and type(review) is not bool:
        raise BadRequest("review must be true or false")
    return entries, Sent(received, _who(document.get("who"), holder), "human" if review else "natural")


def _who(said: Any, holder: str | None) -> str | None:
    """Where there are tokens they say who it is, and nobody can claim to be somebody else."""
    if said is None or holder is not None:
        if said is not None:
            raise BadRequest("who: the token says who you are; leave it out")
        return holder
    try:
        return text_of("who", said)
    except Wrong as wrong:
        raise BadRequest(str(wrong)) from None


def _refusal(wrong: dict[int, str]) -> str:
    """Every wrong place; in words the first of them."""
    told = [f"labels[{place}]: {wrong[place]}" for place in list(wrong)[:MOST_TOLD]]
    rest = _ranges(list(wrong)[MOST_TOLD:])
    return "\n".join((*told, f"and just as wrong: labels {rest}") if rest else told)


def _ranges(places: Sequence[int]) -> str:
    """``[1, 2, 3, 7]`` as ``1-3, 7``."""
    runs: list[list[int]] = []
    for place in places:
        if runs and place == runs[-1][1] + 1:
            runs[-1][1] = place
        else:
            runs.append([place, place])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
