"""The exported bytes depend on the candidate alone: not on the process, PYTHONHASHSEED, folder or install path."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import dagster_project

EXPORT = """
import sys
sys.path[:0] = sys.argv[2:]
import hashlib
from pathlib import Path

import torch
from dagster_project.domain.build import BuildRequest
from dagster_project.domain.bundle import Trial
from dagster_project.training import export, problem
from dagster_project.training.candidate import refit
from dagster_project.training.rows import load_data
from dagster_project.training.space import propose

assert torch.__file__.startswith(sys.argv[2]) and export.__file__.startswith(sys.argv[3])
request = BuildRequest.from_json(Path(sys.argv[1]).read_bytes())
data = load_data(request)
posed = problem.pose(request.spec, data)
for proposal in propose(request.spec):
    last = list(problem.fit(posed, proposal))[-1]
    trial = Trial(number=0, family=proposal.family, parameters=proposal.parameters, status="completed",
                  value=last.value, seconds=0.0, steps=last.steps)
    bytes_ = export.export(refit(posed, data, trial))
    assert not any(place.encode() in bytes_ for place in sys.argv[1:])
    print(proposal.family, hashlib.sha256(bytes_).hexdigest())
"""


def exported(request_file: Path, place: Path, hash_seed: str) -> str:
    """Family and digest by line, from a process that finds its libraries and our package below ``place``."""
    place.mkdir()
    libraries, ours = place / "libraries", place / "ours"
    libraries.symlink_to(sysconfig.get_path("purelib"))
    shutil.copytree(Path(dagster_project.__file__).parent, ours / "dagster_project")
    program = [sys.executable, "-S", "-c", EXPORT, str(request_file), str(libraries), str(ours)]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "HOME": str(place)}
    done = subprocess.run(program, env=environment, cwd=place, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_bytes_are_the_same_elsewhere(request_for, tmp_path, task):
    request = request_for(task)
    file = tmp_path / "request.json"
    file.write_text(request.to_json())
    here = exported(file, tmp_path / "here", "1")
    there = exported(file, tmp_path / "another_place", "4242")
    assert here == there
    assert len(here.splitlines()) == len(request.spec.candidates)
