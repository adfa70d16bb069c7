"""The session that our server makes, for the others."""

import os

import numpy as np
import onnxruntime as ort


def make_session(path: str = "") -> ort.InferenceSession:
    """One thread, as for our server; ``PEER_MODEL`` where no path is given."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return ort.InferenceSession(path or os.environ["PEER_MODEL"], options, providers=["CPUExecutionProvider"])


def kinds(session: ort.InferenceSession) -> dict[str, type]:
    """NumPy's types of the inputs."""
    return {entry.name: object if entry.type == "tensor(string)" else np.float32 for entry in session.get_inputs()}
