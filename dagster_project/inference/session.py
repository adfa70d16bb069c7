"""How onnxruntime is set up, wherever a graph answers."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnxruntime as ort


def session_options(threads: int) -> "ort.SessionOptions":
    """Options for runs on ``threads`` cores that leave the others alone: no spinning, no words."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
