"""MLflow: the ONNX flavor, served by the command that ``mlflow models serve`` runs, without its access log."""

import os
import shlex
import sys
from pathlib import Path

import mlflow.onnx
import onnx
from mlflow.pyfunc.scoring_server import get_cmd

OPTIONS = {"intra_op_num_threads": 1, "inter_op_num_threads": 1, "execution_mode": "sequential"}

if __name__ == "__main__":
    where = str(Path.cwd() / "model")
    mlflow.onnx.save_model(onnx.load(sys.argv[1]), where, onnx_session_options=OPTIONS, pip_requirements=["onnx"])
    command, environment = get_cmd(where, int(sys.argv[2]), "127.0.0.1", nworkers=1)
    quiet = ["--no-access-log", "--log-level", "warning"]
    os.execve(sys.executable, [sys.executable, "-m", *shlex.split(command), *quiet], environment)
