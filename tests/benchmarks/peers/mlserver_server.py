"""MLServer as it comes: a runtime of our own around the session, served by its own command.

It has none for ONNX (SeldonIO/MLServer#2360), and its documentation has users write one, as here with its own codecs;
and "by default, MLServer will spin up a pool with only one worker process to run inference". A fourth argument is
another number of workers: with 0 its server runs the model itself, which costs about half. The pool needs an uvloop
below 0.22 (SeldonIO/MLServer#2286).
"""

import json
import sys
from pathlib import Path

from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse
from session import make_session

NAME = "model"


class Onnx(MLModel):
    """Tensors by input, tensors by output."""

    async def load(self) -> bool:
        """Once, when the server starts."""
        self.session = make_session()
        self.outputs_named = [entry.name for entry in self.session.get_outputs()]
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """With MLServer's own codecs."""
        feed = {entry.name: NumpyCodec.decode_input(entry) for entry in payload.inputs}
        answers = self.session.run(self.outputs_named, feed)
        outputs = [NumpyCodec.encode_output(n, answer) for n, answer in zip(self.outputs_named, answers, strict=True)]
        return InferenceResponse(model_name=self.name, outputs=outputs)


def _settings(port: int) -> dict[str, object]:
    ports = {"http_port": port, "grpc_port": port + 1, "metrics_port": port + 2}
    return {"host": "127.0.0.1", "debug": False, **ports}


if __name__ == "__main__":
    import os

    from mlserver.cli import main

    os.environ["PEER_MODEL"] = sys.argv[1]
    model = {"name": NAME, "implementation": f"{Path(__file__).stem}.Onnx"}
    settings = _settings(int(sys.argv[2]))
    if sys.argv[3:]:
        settings["parallel_workers"] = int(sys.argv[3])
    Path("settings.json").write_text(json.dumps(settings))
    Path("model-settings.json").write_text(json.dumps(model))
    sys.argv = ["mlserver", "start", "."]
    main()
