"""JSON Schemas of ``review``: what a person is asked next, and a skip, as OpenAPI 3.1 takes them."""

from typing import Any

from dagster_project.domain.prediction import label_text

from .label_entry import TEXT_LENGTH
from .signature import Signature

Schema = dict[str, Any]
WORDS = (
    "Rows that people are asked about: the least certain answers, and some drawn at random. What the model answered is "
    "not among it. Labels go to labels, with review: true."
)
_NAME = {"type": "string", "minLength": 1, "maxLength": TEXT_LENGTH}
WHO: Schema = {
    "name": "who",
    "in": "query",
    "description": "who asks, where there are no tokens; without a name there are no rows",
    "schema": _NAME,
}
MODELS: Schema = {
    "type": "object",
    "required": ["models"],
    "properties": {"models": {"type": "array", "items": {"type": "string"}}},
}
SKIP: Schema = {
    "type": "object",
    "required": ["skip"],
    "additionalProperties": False,
    "properties": {"skip": {"type": "string", "description": "a row_id that was asked"}, "who": _NAME},
}
SKIPPED: Schema = {
    "type": "object",
    "required": ["model_name", "skipped"],
    "properties": {"model_name": {"type": "string"}, "skipped": {"type": "string"}},
}


def asked_schema(signature: Signature) -> Schema:
    """The next rows of a person, and what the page shows beside them."""
    text = {"type": "string"}
    column = {
        "type": "object",
        "required": ["name", "description", "unit"],
        "properties": {"name": text, "description": text, "unit": {"type": ["string", "null"]}},
    }
    row = {
        "type": "object",
        "required": ["row_id", "at", "shown"],
        "additionalProperties": False,
        "properties": {"row_id": text, "at": {**text, "format": "date-time"}, "shown": {"type": "object"}},
    }
    classes = {"type": "array", "items": {"enum": [label_text(label) for label in signature.classes]}}
    properties = {
        "model_name": text,
        "who": {"type": ["string", "null"]},
        "question": text,
        "classes": classes if signature.classes else {"type": "array", "maxItems": 0},
        "columns": {"type": "array", "items": column},
        "rows": {"type": "array", "items": row},
        "left": {"type": "integer", "description": "rows that are open to this person"},
        "labelled": {"type": "integer", "description": "rows of the queue that this person labelled"},
    }
    return {"type": "object", "required": list(properties), "properties": properties}
