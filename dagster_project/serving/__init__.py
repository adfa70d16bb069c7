"""Champions behind an Open Inference Protocol server."""
