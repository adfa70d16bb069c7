"""``acts check`` and ``acts plan`` as people run them: fresh processes, real repositories, exit codes."""

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from ci.main import main
from dagster_project.storage.ledger import Ledger
from tests.trees import FILES, FLOOR, RIDES, SPEC, SPEC_FILE, TRIPS, edited

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("dagster", "ray", "pandas", "polars", "torch", "sklearn", "numpy", "duckdb", "onnx", "onnxruntime",
         "deepchecks", "pyarrow", "deltalake", "matplotlib")  # fmt: skip

OTHERS = ("jinja2", "github3", "skl2onnx", "scipy", "rich", "s3fs")


def environment(repo: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ACTS_", "GIT_"))}
    return kept | {"HOME": str(repo.parent), "GIT_CONFIG_NOSYSTEM": "1", "PYTHONPATH": str(ROOT)}


class Done(NamedTuple):
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def acts(repo: Path, *arguments: str) -> Done:
    """Run a command where ``repo`` is, in this process: a fresh one for each would take minutes."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(repo), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(arguments)
    return Done(code, out.getvalue(), err.getvalue())


def fresh(repo: Path, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own."""
    command = [sys.executable, "-m", "ci.main", *arguments]
    return subprocess.run(command, cwd=cwd or repo, env=environment(repo), capture_output=True, text=True, check=False)


def git(repo: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *arguments], cwd=repo, env=environment(repo), check=True, capture_output=True)


def write(repo: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (repo / path).parent.mkdir(parents=True, exist_ok=True)
        (repo / path).write_text(text)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working folder without git."""
    write(tmp_path / "repo", FILES)
    return tmp_path / "repo"


@pytest.fixture
def repo(folder: Path) -> Path:
    """The same, committed on main."""
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    return folder


def test_check_needs_no_git_and_says_what_it_saw(folder: Path) -> None:
    done = fresh(folder, "check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "All good: 2 contracts, 1 model, 0 champion locks.\n"
    assert acts(folder.parent, "check", "--repo", str(folder)).stdout == done.stdout


def test_check_shows_every_problem_and_exits_2(folder: Path) -> None:
    spec = edited(SPEC, ("seed: 7", "sed: 7"), ("metric: roc_auc\n  trials", "metric: mae\n  trials"))
    floor = edited(FLOOR, ("maximum_mb: 100", "maximum_mb: big"))
    write(folder, {SPEC_FILE: spec, "models/floor.yaml": floor})
    done = acts(folder, "check")
    assert done.returncode == 2
    assert "models/floor.yaml:4: every[0].maximum_mb: this should be a valid number" in done.stdout
    assert "models/tardy/spec.yaml:27: search.sed: unknown key. Did you mean seed?" in done.stdout
    assert "mae does not fit the task binary. Choose one of:" in done.stdout
    assert done.stdout.endswith("3 problems in 2 files.\n")
    answer = json.loads(acts(folder, "check", "--json").stdout)
    assert (answer["schema_version"], answer["outcome"], len(answer["problems"])) == (1, "failed", 3)
    assert {"file", "start_line", "end_line", "level", "title", "message", "hint"} <= answer["problems"][0].keys()


def test_control_characters_in_a_file_do_not_reach_the_terminal(folder: Path) -> None:
    write(folder, {SPEC_FILE: edited(SPEC, ("seed: 7", '"\\e[2Jsed": 7'))})
    done = acts(folder, "check")
    assert done.returncode == 2
    assert "\x1b" not in done.stdout
    assert "\\x1b[2Jsed" in done.stdout


def test_a_folder_without_declarations_is_a_usage_error(tmp_path: Path) -> None:
    done = acts(tmp_path, "check", "--repo", str(tmp_path))
    assert done.returncode == 2
    assert "neither data_contracts/ nor models/" in done.stderr
    assert acts(tmp_path, "check", "--repo", str(tmp_path / "none")).returncode == 2


def test_unknown_commands_and_options_exit_2(folder: Path) -> None:
    assert acts(folder, "chekc").returncode == 2
    assert acts(folder, "check", "--nonsense").returncode == 2
    helped = acts(folder, "--help")
    assert helped.returncode == 0
    assert "check" in helped.stdout


def test_what_is_unexpected_exits_3_with_one_line_and_a_traceback_when_asked(folder: Path) -> None:
    # A ledger's row that is a folder: no part of acts expects that.
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    (folder / ".acts" / "ledger" / "builds" / "row.json").mkdir(parents=True)
    done = fresh(folder, "plan")
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "--traceback" in done.stderr
    assert "Traceback" in acts(folder, "plan", "--traceback").stderr


def test_plan_of_the_working_folder(repo: Path) -> None:
    done = acts(repo, "plan")
    assert done.returncode == 0
    assert "Nothing to build, nothing to judge." in done.stdout
    write(repo, {SPEC_FILE: edited(SPEC, ("minimum: 0.6", "minimum: 0.5"), ("seed: 7", "seed: 8"))})
    done = acts(repo, "plan")
    assert done.returncode == 0
    assert "search.seed: 7 → 8" in done.stdout
    assert "gate 'roc_auc on holdout': minimum: 0.6 → 0.5  [loosens]" in done.stdout
    plan = json.loads(acts(repo, "plan", "--json").stdout)
    assert plan["schema_version"] == 1
    assert [(s["action"], s["name"]) for s in plan["steps"]][-2:] == [("build", "tardy"), ("judge", "tardy")]


def test_costs_are_estimated_from_what_steps_took_lately(repo: Path) -> None:
    ledger = Ledger(str(repo / ".acts" / "ledger"), "builds")
    for seconds in (900.0, 10.0, 11.0, 12.0, 13.0, 14.0):
        ledger.append({"kind": "model", "name": "tardy", "outcome": "built", "seconds": seconds})
    ledger.append({"kind": "model", "name": "tardy", "outcome": "reused", "seconds": 0.1})
    ledger.append({"kind": "model", "name": "tardy", "outcome": "failed", "seconds": 0.2})
    ledger.append(
        {"kind": "dataset", "name": "trips", "outcome": "built", "seconds": 9.0, "stages": {"rides": 7.0, "trips": 2.0}}
    )
    ledger.append({"action": "judge", "kind": "model", "name": "tardy", "outcome": "failed", "seconds": 5.0})
    ledger.append({"action": "judge", "kind": "model", "name": "tardy", "outcome": "broken", "seconds": 500.0})
    write(repo, {SPEC_FILE: edited(SPEC, ("seed: 7", "seed: 8"))})
    steps = json.loads(acts(repo, "plan", "--json").stdout)["steps"]
    assert {f"{s['action']} {s['name']}": s["seconds"] for s in steps} == {
        "build rides": 7.0, "build trips": 2.0, "build tardy": 12.0, "judge tardy": 5.0,
    }  # fmt: skip
    assert "4 steps, about 26 s." in acts(repo, "plan").stdout


def test_plan_between_commits_ignores_the_folder(repo: Path) -> None:
    git(repo, "checkout", "-qb", "change")
    write(repo, {SPEC_FILE: edited(SPEC, ("seed: 7", "seed: 8"))})
    git(repo, "commit", "-qam", "seed")
    write(repo, {SPEC_FILE: "broken: ["})
    done = acts(repo, "plan", "--base", "main", "--head", "change")
    assert done.returncode == 0
    assert "search.seed: 7 → 8" in done.stdout
    assert acts(repo, "plan").returncode == 2
    assert acts(repo, "plan", "--base", "--output=x").returncode == 2
    assert acts(repo, "plan", "--base=--output=x").returncode == 2
    assert acts(repo, "plan", "--head", "nowhere").returncode == 2
    assert not (repo / "x").exists()


def test_a_breaking_contract_is_refused_before_anything_runs_and_names_the_models(repo: Path) -> None:
    rides = edited(
        RIDES,
        ("      - name: delay\n        logicalType: number\n", "      - name: delay\n        logicalType: integer\n"),
    )
    write(repo, {"data_contracts/rides.yaml": rides})
    done = acts(repo, "plan")
    assert done.returncode == 1
    assert "The breaking change of rides reaches: tardy." in done.stdout
    assert "Set version: 2.0.0." in done.stdout
    assert "Refused: 1 problem" in done.stdout
    assert not (repo / ".acts").exists()


def test_a_column_taken_from_a_model_is_refused_not_called_a_typing_error(repo: Path) -> None:
    trips = TRIPS.replace("name: seats", "name: places").replace("version: 1.2.0", "version: 2.0.0")
    sql = FILES["data_contracts/trips.sql"].replace("AS seats", "AS places")
    write(repo, {"data_contracts/trips.yaml": trips, "data_contracts/trips.sql": sql})
    done = acts(repo, "plan")
    assert done.returncode == 1
    assert "trips has no column seats" in done.stdout
    assert "The breaking change of trips reaches: tardy." in done.stdout
    loop = fresh(repo, "pr", "--json")
    assert loop.returncode == 1, loop.stderr
    report = json.loads(loop.stdout)
    assert report["plan"]["reached"] == {"trips": ["tardy"]}
    assert report["builds"] == []
    # The same problem in a file that the change itself edits is the author's to mend.
    write(repo, {SPEC_FILE: edited(SPEC, ("seed: 7", "seed: 8"))})
    assert acts(repo, "plan").returncode == 2


def test_plan_outside_git_says_what_to_do(folder: Path) -> None:
    done = acts(folder, "plan")
    assert done.returncode == 2
    assert "git init" in done.stderr


def test_schemas_are_printed(folder: Path) -> None:
    assert json.loads(acts(folder, "schema", "spec").stdout)["additionalProperties"] is False
    assert "tasks" in json.loads(acts(folder, "schema", "floor").stdout)["properties"]


@pytest.mark.parametrize("command", ["check", "plan"])
def test_nothing_heavy_is_imported(repo: Path, command: str) -> None:
    write(repo, {SPEC_FILE: edited(SPEC, ("seed: 7", "seed: 8"))})
    code = (
        "import sys; from ci.main import main; code = main([sys.argv[1]]); "
        f"print('HEAVY', sorted(set(sys.modules) & set({HEAVY!r}))); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, command],
        cwd=repo,
        env=environment(repo),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "HEAVY []" in done.stdout


@pytest.mark.parametrize("command", ["check", "plan"])
def test_the_core_install_is_enough(repo: Path, command: str, tmp_path: Path) -> None:
    """With every package but the core's hidden, both commands answer the same."""
    blocker = tmp_path / "hidden" / "sitecustomize.py"
    blocker.parent.mkdir()
    blocker.write_text(
        "import sys\n"
        "class Hidden:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] in {HEAVY + OTHERS!r}:\n"
        "            raise ModuleNotFoundError(f'{name} is not part of the core')\n"
        "sys.meta_path.insert(0, Hidden())\n"
    )
    env = environment(repo) | {"PYTHONPATH": f"{blocker.parent}{os.pathsep}{ROOT}"}
    hidden = subprocess.run(
        [sys.executable, "-m", "ci.main", command], cwd=repo, env=env, capture_output=True, text=True, check=False
    )
    assert (hidden.returncode, hidden.stderr) == (0, "")
    assert hidden.stdout == acts(repo, command).stdout
    proof = subprocess.run([sys.executable, "-c", "import polars"], env=env, capture_output=True, check=False)
    assert proof.returncode == 1


def test_a_folder_below_finds_its_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "repo", FILES)
    monkeypatch.chdir(tmp_path / "repo" / "data_contracts")
    assert main(["check"]) == 0
    monkeypatch.chdir(tmp_path)
    assert main(["check"]) == 2


def test_an_error_is_json_for_machines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--repo", str(tmp_path), "--json"]) == 2
    answer = json.loads(capsys.readouterr().out)
    assert answer["exit_code"] == 2 and answer["error"]
