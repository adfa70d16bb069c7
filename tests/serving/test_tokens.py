"""Tokens: who is known, what each may do, and that nothing tells what a token is."""

import logging
import traceback
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path

import pytest

from dagster_project.domain.errors import ActsError, UsageError, UserFileError
from dagster_project.serving import tokens as module
from dagster_project.serving.tokens import ROLES, Tokens, is_loopback, may_listen

DASHBOARD, LABELLER, ROOT = "dashboard-0123456789", "labeller-0123456789", "root-0123456789abcdef"


def digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def entry(name: str, roles: str, token: str) -> str:
    return f"  - name: {name}\n    roles: [{roles}]\n    sha256: '{digest(token)}'\n"


GOOD = "tokens:\n" + entry("dashboard", "infer, explain", DASHBOARD) + entry("root", "admin", ROOT)


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "tokens.yaml"
    path.write_text(text)
    path.chmod(mode)
    return path


def bearer(token: str) -> bytes:
    return b"Bearer " + token.encode()


def test_roles_come_from_file_and_environment(tmp_path: Path) -> None:
    known = Tokens.load(written(tmp_path, GOOD), {"ACTS_TOKENS": f"label:{LABELLER}"})
    assert known.roles_of(bearer(DASHBOARD)) == {"infer", "explain"}
    assert known.roles_of(bearer(LABELLER)) == {"label"}
    assert known.roles_of(bearer(ROOT)) == ROLES
    assert known.holder_of(bearer(DASHBOARD)).name == "dashboard"
    assert known.holder_of(bearer(LABELLER)).name == "ACTS_TOKENS[1]"


def test_every_problem_is_told_at_once_and_no_other(tmp_path: Path) -> None:
    text = GOOD.replace("    roles: [admin]", "    roles: [king]\n    till: 2030") + entry("X", "infer", LABELLER)
    with pytest.raises(UserFileError) as caught:
        Tokens.load(written(tmp_path, text), {})
    assert [(problem.line, problem.code) for problem in caught.value.problems] == [
        (6, "literal-error"),
        (7, "extra-forbidden"),
        (9, "string-pattern-mismatch"),
    ]


def test_json_is_read_too(tmp_path: Path) -> None:
    text = f'{{"tokens": [{{"name": "a", "roles": ["infer"], "sha256": "{digest(DASHBOARD)}"}}]}}'
    assert Tokens.load(written(tmp_path, text), {}).roles_of(bearer(DASHBOARD)) == {"infer"}


@pytest.mark.parametrize(
    "header",
    [
        None,
        b"",
        b"Bearer",
        b"Bearer ",
        bearer("unknown-0123456789"),
        bearer(DASHBOARD[:-1]),
        bearer(DASHBOARD + " x"),
        b"Basic " + DASHBOARD.encode(),
        DASHBOARD.encode(),
        bearer(digest(DASHBOARD)),
        b"Bearer \xff\xfe",
    ],
)
def test_who_is_not_known_may_nothing(header: bytes | None) -> None:
    known = Tokens.load(None, {"ACTS_TOKENS": f"infer:{DASHBOARD}"})
    assert known.roles_of(header) == frozenset()
    assert known.holder_of(header) is None


def test_the_scheme_is_read_in_any_case_and_spaces_do_not_count() -> None:
    known = Tokens.load(None, {"ACTS_TOKENS": f" infer : {DASHBOARD} "})
    assert known.roles_of(b"bEARER  " + DASHBOARD.encode() + b" ") == {"infer"}


def test_a_token_written_twice_has_both_roles() -> None:
    known = Tokens.load(None, {"ACTS_TOKENS": f"infer:{DASHBOARD},explain:{DASHBOARD},label:{LABELLER}"})
    assert known.roles_of(bearer(DASHBOARD)) == {"infer", "explain"}


@pytest.mark.parametrize("environ", [{}, {"ACTS_TOKENS": ""}, {"ACTS_TOKENS": "  "}])
def test_without_tokens_there_is_none(environ: dict[str, str]) -> None:
    assert not Tokens.load(None, environ)
    assert Tokens.load(None, environ).roles_of(bearer("")) == frozenset()


def test_every_entry_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also after the one that fits, and over digests, whose length says nothing."""
    known = Tokens.load(None, {"ACTS_TOKENS": f"infer:{DASHBOARD},label:{LABELLER},admin:{ROOT}"})
    assert known
    compared: list[int] = []

    def counted(one: bytes, other: bytes) -> bool:
        compared.append(len(one) + len(other))
        return compare_digest(one, other)

    monkeypatch.setattr(module.hmac, "compare_digest", counted)
    for token in (DASHBOARD, ROOT, "unknown"):
        compared.clear()
        known.roles_of(bearer(token))
        assert compared == [64, 64, 64]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"label:{LABELLER},{DASHBOARD}", "entry 2 is no role:token"),
        (f"{DASHBOARD}:infer", "entry 1 is no role:token. A role is one of infer, explain, label, admin"),
        ("infer:", "entry 1"),
        (f"infer:{DASHBOARD},", "entry 2"),
        ("infer:short", "entry 1 is shorter than 16 characters"),
    ],
)
def test_a_wrong_variable_is_named_by_place(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        Tokens.load(None, {"ACTS_TOKENS": text})
    told = "".join(traceback.format_exception(caught.value))
    assert not any(secret in told for secret in (DASHBOARD, LABELLER))


SECRET = "hunter2-hunter2-hunter2"
HEAD = "tokens:\n  - name: dashboard\n"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "empty"),
        ("tokens: []\n", 1, "nobody has a token"),
        (f"tokens:\n  - {SECRET}\n", 2, "this should be"),
        (f"tokens: {SECRET}\n", 1, "list"),
        (f"{SECRET}: infer\n", 1, "unknown key"),
        (f"tokens:\n  {SECRET}: [infer]\n", 1, "list"),
        (f"{SECRET}: 1\n{SECRET}: 2\n", 2, "written twice"),
        (HEAD + f"    roles: [infer]\n    sha256: {SECRET}\n", 4, "no SHA-256"),
        (HEAD + f"    roles: [infer]\n    sha256: {digest('x').upper()}\n", 4, "no SHA-256"),
        (HEAD + f"    roles: [infer]\n    token: {SECRET}\n", 2, "sha256: this key is missing"),
        (HEAD + f"    roles: [infer]\n    token: {SECRET}\n", 4, "unknown key"),
        (HEAD + f"    roles: [{SECRET}]\n    sha256: '{digest('x')}'\n", 3, "'infer', 'explain', 'label' or 'admin'"),
        (HEAD + f"    roles: []\n    sha256: '{digest('x')}'\n", 3, "there is no role"),
        (HEAD + "    roles: [infer]\n    sha256: 123456789012345678\n", 4, "text"),
        (HEAD + "    roles: [infer]\n    sha256: 0123456789\n", 4, "read differently"),
        (HEAD + f"    roles: [infer]\n    sha256: *{SECRET}\n", 4, "no anchor"),
        (HEAD + f'    roles: [infer]\n    sha256: "{SECRET}\n', None, "not YAML"),
        (f"tokens:\n  - name: X\n    roles: [infer]\n    sha256: '{digest('x')}'\n", 2, "match pattern"),
        (GOOD + entry("root", "infer", LABELLER), 8, "has the same"),
        (GOOD + entry("other", "infer", ROOT), 10, "has the same"),
    ],
)
def test_a_wrong_file_is_named_by_line_and_says_nothing_of_tokens(
    tmp_path: Path, text: str, line: int | None, words: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(UserFileError) as caught:
        Tokens.load(path, {})
    problems = caught.value.problems
    assert any(words in str(problem) and line in (None, problem.line) for problem in problems), problems
    assert all(problem.file == str(path) for problem in problems)
    told = "".join(traceback.format_exception(caught.value))
    assert not any(secret in told for secret in (SECRET, "123456789", digest("x")[:12]))


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o602, 0o777])
def test_a_file_open_to_everyone_is_refused(tmp_path: Path, mode: int) -> None:
    path = written(tmp_path, GOOD, mode)
    with pytest.raises(UserFileError, match=f"everyone on this machine may open it \\(mode {mode:04o}\\).*chmod o="):
        Tokens.load(path, {})
    path.chmod(mode & 0o770)
    assert Tokens.load(path, {})


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(UsageError, match=f"{path}: the tokens cannot be read"):
            Tokens.load(path, {})


def test_nothing_shows_a_token_or_its_digest(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    known = Tokens.load(written(tmp_path, GOOD), {"ACTS_TOKENS": f"label:{LABELLER}"})
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").info("%r %s %r", known, known, known.holder_of(bearer(ROOT)))
    assert "Tokens(dashboard, root, ACTS_TOKENS[1])" in caplog.text
    for token in (DASHBOARD, LABELLER, ROOT):
        assert token not in caplog.text
        assert digest(token) not in caplog.text
        assert repr(sha256(token.encode()).digest()) not in caplog.text


LOOPBACK = ["127.0.0.1", "127.8.9.1", "::1", "localhost", "LOCALHOST"]
PUBLIC = [
    "0.0.0.0",
    "::",
    "",
    "10.0.0.5",
    "128.0.0.1",
    "::ffff:10.0.0.5",
    "example.org",
    "localhost.example.org",
    "fe80::1",
]


def test_only_loopback_is_served_without_tokens() -> None:
    nobody, somebody = Tokens(), Tokens.load(None, {"ACTS_TOKENS": f"infer:{DASHBOARD}"})
    for host in LOOPBACK:
        assert is_loopback(host)
        may_listen(host, nobody)
    for host in PUBLIC:
        assert not is_loopback(host)
        may_listen(host, somebody)
        with pytest.raises(UsageError, match=r"no tokens are known\. Name a file of them with --tokens") as caught:
            may_listen(host, nobody)
        assert isinstance(caught.value, ActsError)
        assert caught.value.exit_code == 2
