"""JSON Schemas of ``labels``: what a request says of the truth, and its answer, as OpenAPI 3.1 takes them."""

from typing import Any

from dagster_project.domain.prediction import label_text

from .label_entry import TEXT_LENGTH
from .label_request import MOST_LABELS
from .signature import Signature

Schema = dict[str, Any]
WORDS = (
    "What really happened, once it is known. The answer comes when the labels are on the disk; a request that got "
    "none, or a 503, is sent again as it was, and nothing counts twice. A corrected label is sent as another one. "
    "Whoever goes back to an earlier one sends `known` too, so that it is not taken for the same."
)
_ROW = "0198c0de-0000-7000-8000-000000000000"
_UUID7 = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-7[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$"


def labels_schema(signature: Signature) -> Schema:
    """A request with labels of the model."""
    properties: Schema = {
        "row_id": {"type": "string", "pattern": _UUID7, "description": "as the answer had it in row_ids"},
        "label": _label(signature),
        "known": {
            "type": "string",
            "format": "date-time",
            "description": "since when it is known (ISO 8601; UTC where no zone is named); default: now",
        },
        "event": _text("the sender's own key of this label; default: a digest of what it says"),
    }
    if signature.id_column:
        properties["id"] = _text(f"{signature.id_column}, as the request had it that was answered")
    about = [{"required": [name]} for name in ("row_id", "id") if name in properties]
    entry = {
        "type": "object",
        "required": ["label"],
        "properties": properties,
        "oneOf": about,
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "required": ["labels"],
        "additionalProperties": False,
        "properties": {
            "labels": {"type": "array", "minItems": 1, "maxItems": MOST_LABELS, "items": entry},
            "review": {"type": "boolean", "description": "a person says so, on the review page"},
            "who": _text("who says so, where there are no tokens"),
        },
    }


def answer_schema() -> Schema:
    """The answer to it."""
    events = {"type": "array", "items": {"type": "string"}, "description": "the event of each label, in their order"}
    return {
        "type": "object",
        "required": ["model_name", "events"],
        "properties": {"model_name": {"type": "string"}, "events": events},
    }


def example_labels(signature: Signature) -> Schema:
    """One label."""
    label = signature.classes[0] if signature.classes else 12.5
    return {"labels": [{"row_id": _ROW, "label": label, "known": "2024-05-01T12:00:00Z"}]}


def _label(signature: Signature) -> Schema:
    if not signature.classes:
        return {"type": "number"}
    texts = [label_text(label) for label in signature.classes]
    return {"enum": list(dict.fromkeys((*signature.classes, *texts)))}


def _text(description: str) -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": TEXT_LENGTH, "description": description}
