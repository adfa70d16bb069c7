"""What KServe's REST client does with a server; run in KServe's own environment: ``python kserve_calls.py URL``."""

import asyncio
import json
import sys

from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig


async def main(url: str) -> dict[str, object]:
    """Health, readiness, and a row as JSON and as binary tensors."""
    client = InferenceRESTClient(RESTConfig(protocol="v2", retries=0))
    found: dict[str, object] = {
        "live": await client.is_server_live(url),
        "ready": await client.is_server_ready(url),
        "model ready": await client.is_model_ready(url, "delays"),
    }
    for binary in (False, True):
        inputs = [InferInput("miles", [2, 1], "FP32"), InferInput("carrier", [2, 1], "BYTES")]
        import numpy as np

        inputs[0].set_data_from_numpy(np.array([[100.0], [50.0]], np.float32), binary_data=binary)
        inputs[1].set_data_from_numpy(np.array([["UA"], ["é"]], object), binary_data=binary)
        answer = await client.infer(url, InferRequest("delays", inputs), model_name="delays")
        probabilities = next(output for output in answer.outputs if output.name == "probabilities")
        found[f"probabilities, binary {binary}"] = probabilities.as_numpy().reshape(-1, 2)[:, 1].tolist()
    await client.close()
    return found


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1]))))
