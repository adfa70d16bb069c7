"""``python -m tests.serving.on_ray PORT``: the server under Ray Serve until standard input ends."""

import sys

from dagster_project.serving.scaling import Scaling
from dagster_project.training.local_ray import local_ray


def main(port: int) -> None:
    """Say "serving", then wait."""
    with local_ray(cpus=2):
        from ray import serve

        from dagster_project.serving.ray_app import build

        serve.start(http_options={"host": "127.0.0.1", "port": port})
        serve.run(build(Scaling(min_replicas=0, max_replicas=2)), name="champions")
        print("serving", flush=True)
        sys.stdin.read()
        serve.delete("champions")  # waits until the replicas have ended; shutdown alone goes on after 30 seconds
        serve.shutdown()


if __name__ == "__main__":
    main(int(sys.argv[1]))
