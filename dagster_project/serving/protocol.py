"""The Open Inference Protocol V2 over REST, with binary tensors: bytes in, bytes out, nothing else.

Source: kserve/open-inference-protocol, specification/protocol/inference_rest.md, and Triton's binary tensor extension.
"""

from .compression import decompress
from .decode import InferRequest, decode_request
from .encode import encode_response
from .metadata import model_metadata, server_metadata
from .problems import BadRequest

__all__ = [
    "BadRequest",
    "InferRequest",
    "decode_request",
    "decompress",
    "encode_response",
    "model_metadata",
    "server_metadata",
]
