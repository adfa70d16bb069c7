"""A patch is what git makes of it."""

import subprocess
from pathlib import Path

import pytest

from ci.forge.patch import patch
from dagster_project.domain.errors import UsageError

LONG = b"".join(b"line %d\n" % number for number in range(40))


def applied(folder: Path, before: dict[str, bytes], text: str) -> dict[str, bytes]:
    """The files after ``git apply``; its complaint is the test's."""
    for path, data in before.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    answer = subprocess.run(["git", "apply", "-"], cwd=folder, input=text.encode(), capture_output=True, check=False)
    assert answer.returncode == 0, answer.stderr.decode()
    files = (file for file in folder.rglob("*") if file.is_file() and ".git" not in file.parts)
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(None, b"family: ridge\nonnx: sha256:1\n", id="new"),
        pytest.param(b"family: ridge\n", None, id="gone"),
        pytest.param(b"a: 1\nb: 2\n", b"a: 1\nb: 3\n", id="changed"),
        pytest.param(LONG, LONG.replace(b"line 3\n", b"line x\n").replace(b"line 30\n", b""), id="two hunks"),
        pytest.param(b"a\nb", b"a\nc", id="no newline at the end"),
        pytest.param(b"a\nb", b"a\nb\n", id="newline added"),
        pytest.param(b"a\r\nb\r\n", b"a\r\nc\r\n", id="windows"),
        pytest.param("ü\u2028x\x0cy\n".encode(), "ü\u2028x\x0cz\n".encode(), id="line ends that are none"),
        pytest.param(b"", b"x\n", id="from empty"),
        pytest.param(b"x\n", b"", id="to empty"),
        pytest.param(None, b"", id="new and empty"),
        pytest.param(b"", None, id="empty and gone"),
    ],
)
def test_git_applies_it(tmp_path: Path, before: bytes | None, after: bytes | None) -> None:
    path = "models/late/champion.lock.yaml"
    there = {"other.txt": b"other\n"} | ({path: before} if before is not None else {})
    wanted = {"other.txt": b"other\n"} | ({path: after} if after is not None else {})
    assert applied(tmp_path, there, patch({path: (before, after)})) == wanted


def test_several_files_and_none_for_equal_ones(tmp_path: Path) -> None:
    text = patch({"b": (b"1\n", b"2\n"), "a": (None, b"new\n"), "same": (b"x", b"x")})
    assert "same" not in text and text.index("a/a") < text.index("a/b")
    assert applied(tmp_path, {"b": b"1\n", "same": b"x"}, text) == {"a": b"new\n", "b": b"2\n", "same": b"x"}


@pytest.mark.parametrize("path", ["a b", 'a"b', "../a\nb", "/etc/x", "ü"])
def test_paths_that_git_would_quote_are_refused(path: str) -> None:
    with pytest.raises(UsageError, match="can't stand in a patch"):
        patch({path: (None, b"x")})


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(UsageError, match="no text"):
        patch({"model.onnx": (None, b"\xff\x00")})
