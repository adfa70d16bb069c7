"""SQL of derived datasets, before it is ever run: one SELECT over the declared datasets, the same answer every time.

Running it is confined as well (DuckDB without external access); here its author is told what is wrong, with the line.
"""

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from .errors import Problem

if TYPE_CHECKING:
    from sqlglot import exp

MAX_CHARACTERS = 100_000

_OUTSIDE = re.compile(
    r"(read|scan|sniff|write|copy|parquet|sqlite|postgres|mysql|iceberg|delta|duckdb|pragma|which_secret|load|http)_.*"
    r"|glob|getenv|query|query_table|.*_scan|.*_attach|.*_query|.*_execute|readcsv|readparquet|checkpoint|shell.*"
    r"|getvariable|current_setting|set_config|in_search_path|st_read.*|sql_auto_complete|summary|repeat_row"
)
_UNSTABLE = re.compile(
    r"rand.*|setseed|.*uuid.*|now|today|get_current_.*|current_?.*|local_?time.*|session_?user|user|version|txid_.*|getdate"
    r"|transaction_timestamp|statement_timestamp|clock_timestamp|nextval|currval|systimestamp|sysdate|utc_?.*|ago|pg_.*|has_.*|inet_.*"
    r"|hash|approx_.*|reservoir_.*|sample|sleep.*|stats|setval|vector_type"
)
_ORDERED = ("first", "last", "any_value", "anyvalue", "arbitrary")
_TABLE_FUNCTIONS = ("unnest", "range", "generate_series", "generateseries", "explode", "values")
_Found = Iterator[tuple["exp.Expr", str, str]]


def sql_problems(sql: str, file: str, inputs: Sequence[str], columns: Sequence[str] | None = None) -> list[Problem]:
    """What is wrong with the query. ``inputs`` may be read, all of them have to be; ``columns`` are what it returns."""
    if len(sql) > MAX_CHARACTERS:
        message = f"the query has more than {MAX_CHARACTERS:,} characters."
        return [Problem(file=file, message=message, hint="Split it into derived datasets.", code="sql")]
    tree = _parse(sql, file)
    if isinstance(tree, list):
        return tree
    found = [*_statements(tree)]
    if not found:
        found = [*_functions(tree), *_tables(tree, inputs), *_order(tree), *_columns(tree, columns)]
    problems = [
        Problem(file=file, line=_line(node, sql), message=message, hint=hint, code="sql")
        for node, message, hint in found
    ]
    return list(dict.fromkeys(problems))


def _parse(sql: str, file: str) -> "exp.Expr | list[Problem]":
    import logging

    import sqlglot
    from sqlglot.errors import ParseError, SqlglotError

    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # what it falls back from is refused below
    line, hint = None, "Correct the SQL; it is read as DuckDB's dialect."
    try:
        statements = [tree for tree in sqlglot.parse(sql, dialect="duckdb") if tree is not None]
    except ParseError as error:
        first: dict[str, Any] = error.errors[0] if error.errors else {}
        line, message = first.get("line"), f"this is not SQL: {first.get('description') or 'it cannot be parsed'}."
    except SqlglotError as error:
        missing = re.fullmatch(r"(Missing .+) from (\d+):\d+", str(error.__cause__))  # a quote that nothing closes
        line = int(missing[2]) if missing else sql.count("\n") + 1
        message = f"this is not SQL: {missing[1] if missing else str(error).splitlines()[0][:200]}."
    except RecursionError:
        message, hint = "the query is nested too deeply to be read.", "Use common table expressions (WITH)."
    else:
        if len(statements) == 1:
            return statements[0]
        message, hint = f"the file holds {len(statements)} statements.", "Write exactly one SELECT."
    return [Problem(file=file, line=line, message=message, hint=hint, code="sql")]


def _statements(tree: "exp.Expr") -> _Found:
    from sqlglot import exp

    if not isinstance(tree, exp.Query):
        yield tree, f"a {tree.key.upper()} statement.", "Write exactly one SELECT."
    for node in tree.find_all(exp.Command, exp.DDL, exp.DML, exp.Into, exp.Pragma, exp.Set, exp.Attach, exp.Copy):
        if node is not tree and not isinstance(node, exp.Query):
            yield node, f"{node.key.upper()} changes something.", "A derived dataset only reads."
    for node in tree.find_all(exp.Parameter, exp.SessionParameter, exp.Placeholder):
        yield node, f"`{node.sql()}` is a parameter, and nothing fills it.", "Write the value."


def _functions(tree: "exp.Expr") -> _Found:
    from sqlglot import exp

    for node in tree.find_all(exp.Func):
        name = _name(node)
        if _OUTSIDE.fullmatch(name):
            yield node, f"`{name}` reaches outside of the query's datasets.", "Read the datasets in derived_from only."
        elif _UNSTABLE.fullmatch(name) or _age_until_today(node, name):
            hint = "Use a column, such as the event time, or a fixed value."
            yield node, f"`{name}` gives another answer every time or on every machine.", hint
        elif name in _ORDERED:
            yield node, f"`{name}` depends on the order of the rows.", "Use min, max or arg_min over a unique column."
    for sample in tree.find_all(exp.TableSample):
        yield sample, "a sample is different every time.", "Filter by a hash of the id instead."


def _age_until_today(node: "exp.Expr", name: str) -> bool:
    return name == "age" and len(list(node.iter_expressions())) < 2


def _tables(tree: "exp.Expr", inputs: Sequence[str]) -> _Found:
    from sqlglot import exp

    defined = {cte.alias for cte in tree.find_all(exp.CTE)}
    for cte in tree.find_all(exp.CTE):
        if cte.alias in inputs:
            yield cte, f"`{cte.alias}` is defined here and is an input as well.", "Give it another name."
    tables = list(tree.find_all(exp.Table))
    for table in tables:
        yield from _table(table, {*inputs, *defined})
    for name in sorted(set(inputs) - {table.name for table in tables}):
        yield tree, f"`{name}` is not read.", "Read it, or delete it in threeacts.derived_from."


def _table(table: "exp.Table", known: set[str]) -> _Found:
    from sqlglot import exp

    if isinstance(table.this, exp.Func):
        name = _name(table.this)
        if name not in _TABLE_FUNCTIONS and not _OUTSIDE.fullmatch(name):
            yield table, f"`{name}` is no dataset.", "Read the datasets in derived_from only."
    elif table.db or table.catalog:
        yield table, f"`{table.sql()}` is in a schema of its own.", "Name a dataset, without a schema."
    elif table.name not in known:
        close = get_close_matches(table.name, sorted(known), n=1)
        hint = (
            f"Did you mean `{close[0]}`?" if close else "Add a dataset to threeacts.derived_from; files are not read."
        )
        yield table, f"`{table.name[:80]}` is none of the datasets that may be read here.", hint


def _order(tree: "exp.Expr") -> _Found:
    from sqlglot import exp

    for limit in tree.find_all(exp.Limit, exp.Offset, exp.Fetch):
        if limit.parent is not None and not limit.parent.args.get("order"):
            yield limit, "which rows a LIMIT leaves is not defined without an order.", "Add ORDER BY a unique column."
    counting = (exp.RowNumber, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.ArrayAgg)
    for window in tree.find_all(exp.Window):
        if isinstance(window.this, counting) and not _ordered(window):
            yield window, "a window function that counts rows needs an order.", "Add ORDER BY a unique column."
    for join in tree.find_all(exp.Join):
        if join.args.get("method") == "POSITIONAL":
            yield join, "a positional join depends on the order of the rows.", "Join on a key."


def _ordered(window: "exp.Window") -> bool:
    """Whether it has an order, or goes by the name of one that has (``OVER name``, ``WINDOW name AS (...)``)."""
    from sqlglot import exp

    select = window.find_ancestor(exp.Select)
    named = {each.name: each for each in (select.args.get("windows") or () if select else ())}
    for _ in range(len(named) + 1):
        if window.args.get("order"):
            return True
        window = named.get(window.alias, window)
    return False


def _columns(tree: "exp.Expr", columns: Sequence[str] | None) -> _Found:
    from sqlglot import exp

    if (
        columns is None
        or not isinstance(tree, exp.Query)
        or any(isinstance(s, exp.Star) or s.is_star for s in tree.selects)
    ):
        return
    returned = [column.output_name for column in tree.selects]
    for name in sorted({name for name in returned if name and returned.count(name) > 1}):
        yield tree, f"the column `{name}` is returned twice.", "Delete or rename one."
    for name in columns:
        if name not in returned:
            yield tree, f"the contract's column `{name}` is not returned.", f"Add it: ... AS {name}."
    for name, node in zip(returned, tree.selects, strict=True):
        if name not in columns:
            shown = f"the column `{name}`" if name else f"`{node.sql()[:60]}`"
            yield node, f"{shown} is not in the contract.", "Name it there, delete it here, or correct its alias."


def _name(node: "exp.Expr") -> str:
    from sqlglot import exp

    if isinstance(node, exp.Anonymous | exp.AnonymousAggFunc):
        return str(node.name).lower()
    names: list[str] = getattr(node, "sql_names", lambda: [node.key])()
    return names[0].lower() if names else node.key


def _line(node: "exp.Expr", sql: str) -> int | None:
    """Line of the first token below ``node`` that has one."""
    for part in node.walk(bfs=False):
        if line := part.meta.get("line"):
            return int(line)
    match = re.search(rf"\b{re.escape(_name(node))}\b", sql, re.IGNORECASE)
    return sql.count("\n", 0, match.start()) + 1 if match else 1
