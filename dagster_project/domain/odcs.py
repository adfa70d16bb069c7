"""``data_contracts/NAME.yaml``, an Open Data Contract Standard 3 document, read into :class:`DataContract`.

First the raw YAML against the standard's JSON Schema, then the standard's own model (which coerces and drops what it
does not know, so it comes second), then our lint. https://bitol-io.github.io/open-data-contract-standard
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from .additions import ColumnAdditions, ContractAdditions, ServerAdditions, read_additions
from .contract import Column, Condition, DataContract, Derivation, LogicalType, Server
from .contract_rules import contract_rules, filled_query, physical_name
from .errors import Problem, UserFileError
from .odcs_lint import length_problems, lint_problems
from .odcs_quality import condition_of, quality_problems, rule_type
from .odcs_schema import schema_problems
from .odcs_walk import custom_properties, entries, properties, quality_rules
from .sql_lint import sql_problems
from .yamlfile import Document, Location, load_yaml

_SERVER_WORDS = ("id", "server", "type", "environment", "description", "roles", "customProperties")


@lru_cache(maxsize=512)
def load_contract(text: str | bytes, file: str, sql: str | None = None, sql_file: str | None = None) -> DataContract:
    """Read a contract and the SQL beside it. Raises :class:`UserFileError` with all problems of both.

    The same text is read once in a process: a plan reads most contracts twice, at its base and at its head.
    """
    document = load_yaml(text, file)
    problems = [*_document_problems(document), *_derivation_problems(document, sql, sql_file)]
    if problems:
        raise UserFileError(problems)
    return _contract(document, sql, sql_file)


def _document_problems(document: Document) -> list[Problem]:
    """Where the lint and the standard's schema complain about one place, the lint's words stand."""
    if problems := length_problems(document):
        return problems
    quality = {place: quality_problems(document, place, rule, at) for place, rule, at in quality_rules(document.value)}
    lint = [*lint_problems(document), *(problem for found in quality.values() for problem in found)]
    places = {problem.where for problem in lint}
    faulty = [place for place, found in quality.items() if found]
    schema = [problem for problem in schema_problems(document, faulty) if problem.where not in places]
    problems = lint + schema
    return problems or _model_problems(document) or _query_problems(document)


def _model_problems(document: Document) -> list[Problem]:
    from open_data_contract_standard.model import OpenDataContractStandard

    try:
        OpenDataContractStandard.model_validate(document.value)
    except ValidationError as error:
        return [document.problem(e["loc"], f"{e['msg']}.", "See the standard.", "odcs") for e in error.errors()]
    return []


def _derivation_problems(document: Document, sql: str | None, sql_file: str | None) -> list[Problem]:
    additions, _ = read_additions(document, document.value, (), ContractAdditions)
    beside = sql_file or document.file.rpartition(".")[0] + ".sql"
    if sql is None:
        missing = f"the dataset is derived, and there is no {beside}."
        return [document.problem((), missing, "Add the SELECT.", "lint")] if additions.derived_from else []
    if not additions.derived_from:
        hint = "Add threeacts.derived_from, a list of the datasets that it reads, or delete the SQL."
        return [document.problem((), f"{beside} lies beside the contract, which is not derived.", hint, "lint")]
    columns = [str(column.get("name")) for _, column in properties(document.value)]
    return sql_problems(sql, beside, additions.derived_from, columns or None)


def _query_problems(document: Document) -> list[Problem]:
    """Quality rules of type sql read their own dataset and nothing else."""
    name = str(document.value["name"])
    return [
        document.problem((*location, "query"), problem.message, problem.hint, "sql")
        for location, rule, column in quality_rules(document.value)
        if rule_type(rule) == "sql"
        for problem in sql_problems(filled_query(rule, name, column), document.file, (name,))
    ]


def _contract(document: Document, sql: str | None, sql_file: str | None) -> DataContract:
    root = document.value
    additions, _ = read_additions(document, root, (), ContractAdditions)
    columns = tuple(_column(document, location, column) for location, column in properties(root))
    derivation = None
    if sql is not None:
        line = next(document.line(place) for place, key, _ in custom_properties(root, ()) if key == "derived_from")
        derivation = Derivation(sql=sql, inputs=additions.derived_from, file=sql_file or "", line=line)
    return DataContract(
        name=root["name"],
        id=root["id"],
        version=root["version"],
        status=root["status"],
        description=_description(root),
        owners=tuple(_owners(root.get("team"))),
        physical_name=physical_name(document),
        columns=columns,
        rules=contract_rules(document, columns),
        servers=tuple(_server(document, place, raw) for place, raw in entries(root.get("servers"), ("servers",))),
        derivation=derivation,
        conditions=(*additions.deepchecks, *_conditions(root)),
        label_delay=additions.label_delay,
        frequency=additions.frequency,
        file=document.file,
    )


def _column(document: Document, location: Location, raw: dict[str, Any]) -> Column:
    additions, _ = read_additions(document, raw, location, ColumnAdditions)
    options = raw.get("logicalTypeOptions", {})
    enum = tuple(entry["value"] for entry in raw["enum"]) if "enum" in raw else None
    return Column(
        name=raw["name"],
        logical_type=LogicalType(raw["logicalType"]),
        physical_type=raw.get("physicalType"),
        description=raw.get("description", ""),
        required=raw.get("required", False),
        unique=raw.get("unique", False),
        primary_key=raw.get("primaryKey", False),
        classification=raw.get("classification"),
        enum=enum,
        minimum=options.get("minimum"),
        maximum=options.get("maximum"),
        exclusive_minimum=options.get("exclusiveMinimum"),
        exclusive_maximum=options.get("exclusiveMaximum"),
        min_length=options.get("minLength"),
        max_length=options.get("maxLength"),
        pattern=options.get("pattern"),
        unit=additions.unit,
        role=additions.role,
        modality=additions.modality,
        language=additions.language,
        image=additions.image,
        series=additions.series,
        horizon=additions.horizon,
        available_at=additions.available_at,
        line=document.line(location),
    )


def _server(document: Document, location: Location, raw: dict[str, Any]) -> Server:
    options = {key: value for key, value in raw.items() if key not in _SERVER_WORDS}
    additions, _ = read_additions(document, raw, location, ServerAdditions)
    if additions.null_values:
        options["null_values"] = list(additions.null_values)
    return Server(name=raw["server"], type=raw["type"], environment=raw.get("environment"), options=options)


def _conditions(root: dict[str, Any]) -> Iterable[Condition]:
    """deepchecks conditions that stand among the quality rules; one at a column looks at that column."""
    for _, rule, column in quality_rules(root):
        if rule_type(rule) == "custom":
            yield condition_of(rule, column)


def _description(root: dict[str, Any]) -> str:
    parts = root.get("description") or {}
    return "\n\n".join(parts[key].strip() for key in ("purpose", "usage", "limitations") if parts.get(key))


def _owners(team: Any) -> Iterable[str]:
    """The team's name, then its members."""
    members = team if isinstance(team, list) else (team or {}).get("members", ())
    if isinstance(team, dict) and team.get("name"):
        yield team["name"]
    for member in members or ():
        if name := member.get("username") or member.get("name"):
            yield name
