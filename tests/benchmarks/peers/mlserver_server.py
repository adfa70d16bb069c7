"""MLServer: a runtime of its kind around the session (it has none for ONNX), served by its own command.

Without the second process (parallel_workers) it answers at half the price, and starts with any uvloop.
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
    return {"host": "127.0.0.1", "debug": False, "parallel_workers": 0, **ports}


if __name__ == "__main__":
    import os

    from mlserver.cli import main

    os.environ["PEER_MODEL"] = sys.argv[1]
    model = {"name": NAME, "implementation": f"{Path(__file__).stem}.Onnx"}
    Path("settings.json").write_text(json.dumps(_settings(int(sys.argv[2]))))
    Path("model-settings.json").write_text(json.dumps(model))
    sys.argv = ["mlserver", "start", "."]
    main()
