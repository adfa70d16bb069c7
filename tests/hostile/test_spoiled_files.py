"""The repository's own contracts and specs, spoiled at random: ``acts check`` ends in 0 or 2 and in words."""

import re
from pathlib import Path

import pytest

from ci.main import main
from dagster_project.domain.errors import PASSED, USER_ERROR
from tests.hostile.mutations import spoil

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    path.relative_to(ROOT).as_posix(): path.read_bytes()
    for folder in ("data_contracts", "models")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in (".yaml", ".sql") and path.name != "champion.lock.yaml"
}
PLACED = re.compile(r"(data_contracts|models)/[\w./]+:\d+: .")
LONGEST = 2500


def check_spoiled(seed: int, folder: Path, capsys: pytest.CaptureFixture[str]) -> int:
    """Exit code of ``acts check`` on the files as ``seed`` spoils them."""
    what, spoiled = spoil(FILES, seed)
    for path, data in spoiled.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    code = main(["check", "--repo", str(folder)])
    out, err = capsys.readouterr()
    assert code in (PASSED, USER_ERROR) and not err, (seed, what, err)
    *problems, summary = out.splitlines()
    assert bool(problems) == (code == USER_ERROR), (seed, what)
    assert "\x1b" not in out and summary, (seed, what)
    strange = [line[:300] for line in problems if not PLACED.match(line) or len(line) > LONGEST]
    assert not strange, (seed, what, strange)
    return code


@pytest.mark.parametrize("first", [0, pytest.param(1000, marks=pytest.mark.slow)])
def test_spoiled_files_end_in_words(first: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seeds = range(first, first + (300 if first else 20))
    codes = {check_spoiled(seed, tmp_path, capsys) for seed in seeds}
    assert USER_ERROR in codes
