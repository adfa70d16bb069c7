"""SQL of derived datasets: one SELECT over what is declared, the same answer every time."""

import pytest

from dagster_project.domain.sql_lint import MAX_CHARACTERS, sql_problems

INPUTS = ("flights", "weather")


def problems(sql: str, columns: tuple[str, ...] | None = None) -> list[tuple[int | None, str]]:
    found = sql_problems(sql, "x.sql", INPUTS, columns)
    assert all(problem.hint and problem.file == "x.sql" for problem in found)
    return [(problem.line, problem.message) for problem in found]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT f.a, w.b FROM flights f LEFT JOIN weather w USING (k)",
        "WITH late AS (SELECT * FROM flights) SELECT * FROM late, weather",
        "SELECT a FROM flights UNION ALL SELECT b FROM weather",
        "FROM flights, weather",
        "SELECT row_number() OVER (PARTITION BY a ORDER BY id) AS n FROM flights, weather",
        "SELECT a FROM flights, weather ORDER BY a LIMIT 5;",
        "SELECT strftime(t, '%Y') || lpad(b, 4, '0') AS y, date_trunc('hour', t) AS h FROM flights, weather",
        "SELECT age(a, b) AS x FROM flights, weather",
        "SELECT x FROM flights, weather, unnest([1, 2]) AS u(x), range(3)",
        "-- a comment; with a semicolon\nSELECT 'read_csv(x)' AS text FROM flights, weather",
        'SELECT a FROM "flights", weather WHERE EXISTS (SELECT 1 FROM weather w WHERE w.a = flights.a)',
    ],
)
def test_reading_what_is_declared_is_fine(sql: str) -> None:
    assert problems(sql) == []


@pytest.mark.parametrize(
    "expression",
    [
        "read_csv('x')", "read_csv_auto('x')", "read_parquet('x')", "read_json('x')", "read_text('x')",
        "read_blob('x')",
        "glob('*')", "parquet_scan('x')", "parquet_metadata('x')",
        "sqlite_scan('a', 'b')",
        "postgres_scan('a', 'b', 'c')",
        "query('SELECT 1')", "query_table('x')", "duckdb_settings()", "duckdb_secrets()",
        "sniff_csv('x')",
        "iceberg_scan('x')", "delta_scan('x')", "st_read('x')", "'x.csv'", "'https://h.example/x.parquet'", "'s3://b/x'",
        "\"/etc/passwd\"", "information_schema.tables", "main.flights", "pragma_table_info('x')",
    ],
)  # fmt: skip
def test_files_network_and_catalogues_are_refused(expression: str) -> None:
    found = problems(f"SELECT *\nFROM flights, weather,\n{expression}")
    assert [line for line, _ in found] == [3], found


@pytest.mark.parametrize(
    "expression",
    [
        "random()", "now()", "today()", "current_date", "current_timestamp", "localtimestamp", "gen_random_uuid()",
        "uuid()",
        "get_current_timestamp()", "transaction_timestamp()", "nextval('s')", "setseed(1)", "version()", "current_user",
        "getenv('HOME')", "current_setting('x')",
        "age(t)", "ago(INTERVAL 1 DAY)", "getvariable('x')", "any_value(a)", "first(a)",
        "row_number() OVER ()",
    ],
)  # fmt: skip
def test_what_differs_from_run_to_run_is_refused(expression: str) -> None:
    found = problems(f"SELECT\n  {expression} AS x\nFROM flights, weather")
    assert [line for line, _ in found] == [2], found


def test_whatever_duckdb_calls_volatile_is_refused() -> None:
    import duckdb

    query = """
        SELECT DISTINCT function_name FROM duckdb_functions()
        WHERE stability IN ('VOLATILE', 'CONSISTENT_WITHIN_QUERY') AND regexp_full_match(function_name, '[a-z_0-9]+')
    """
    names = {name for (name,) in duckdb.connect().execute(query).fetchall()} - {"error"}  # it only fails
    assert len(names) > 15
    assert {name for name in names if not problems(f"SELECT {name}(a) AS x FROM flights, weather")} == set()


def test_no_table_function_of_duckdb_reads_anything() -> None:
    import duckdb

    query = "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type IN ('table', 'table_macro')"
    names = {name for (name,) in duckdb.connect().execute(query).fetchall() if name.isidentifier()}
    assert len(names) > 40
    passed = {name for name in names if not problems(f"SELECT * FROM flights, weather, {name}('x')")}
    assert passed == {"generate_series", "range", "unnest"}


@pytest.mark.parametrize(
    "sql",
    [
        "", "-- nothing", "SELECT 1; SELECT 2", "COPY flights TO 'x'", "ATTACH 'x' AS y", "DETACH y", "INSTALL httpfs",
        "LOAD httpfs", "PRAGMA version", "SET x = 1", "RESET x", "CREATE TABLE x AS SELECT 1", "DROP TABLE flights",
        "INSERT INTO flights VALUES (1)", "UPDATE flights SET a = 1", "DELETE FROM flights", "EXPORT DATABASE 'x'",
        "CALL f()", "USE x", "VACUUM", "EXPLAIN SELECT 1", "DESCRIBE flights", "BEGIN", "EXECUTE p",
        "PREPARE p AS SELECT 1",
        "SELECT (", "SELEC a FROM flights", "SELECT 'open", "SELECT a FROM " + "(" * 3000,
        "x" * (MAX_CHARACTERS + 1),
        "SELECT a INTO t FROM flights, weather", "SELECT $1 FROM flights, weather", "SELECT ? FROM flights, weather",
        "WITH x AS (DELETE FROM flights RETURNING *) SELECT * FROM x, flights, weather",
    ],
)  # fmt: skip
def test_anything_but_one_select_is_refused(sql: str) -> None:
    assert problems(sql)


def test_a_mistake_is_named_with_its_line() -> None:
    assert problems("SELECT a\nFROM flights,\nweather WHERE (a = 1")[0][0] == 3
    assert (2, "`fligths` is none of the datasets that may be read here.") in problems(
        "SELECT a FROM weather,\nfligths"
    )
    assert problems("SELECT a FROM flights") == [(1, "`weather` is not read.")]
    assert "defined here" in problems("WITH flights AS (SELECT 1) SELECT * FROM flights, weather")[0][1]
    assert "LIMIT" in problems("SELECT * FROM flights, weather LIMIT 3")[0][1]
    assert "sample" in problems("SELECT * FROM flights, weather USING SAMPLE 10")[0][1]
    assert "order" in problems("SELECT * FROM flights POSITIONAL JOIN weather")[0][1]


def test_returned_columns_are_the_contracts() -> None:
    sql = "SELECT\n  a,\n  b AS c,\n  a + 1\nFROM flights, weather"
    found = problems(sql, ("a", "d"))
    assert (3, "the column `c` is not in the contract.") in found
    assert (4, "`a + 1` is not in the contract.") in found
    assert any("`d` is not returned" in message for _, message in found)
    assert problems("SELECT a, b AS a FROM flights, weather", ("a",)) == [(1, "the column `a` is returned twice.")]
    assert problems("SELECT * FROM flights, weather", ("a",)) == []  # known only when it runs
