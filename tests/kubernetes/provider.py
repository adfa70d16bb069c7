"""Ray's node provider for tests, with files of its own for each node. Ray's monitor imports it by itself.

All nodes are in one session folder. When a node is handed a job's code it unpacks it anew, and takes away the folder in
which the job's own program runs on the head: pods have disks of their own, so here each node gets a folder of its own.
"""

from typing import Any

from ray._private import ray_constants
from ray.autoscaler._private.fake_multi_node.node_provider import FakeMultiNodeProvider


class OwnFiles(FakeMultiNodeProvider):
    """Only the name of the folder for runtime environments differs."""

    def _create_node_with_resources_and_labels(self, *arguments: Any) -> None:
        with self.lock:
            usual = ray_constants.DEFAULT_RUNTIME_ENV_DIR_NAME
            ray_constants.DEFAULT_RUNTIME_ENV_DIR_NAME = f"{usual}_{self._next_node_id + 1}"
            try:
                super()._create_node_with_resources_and_labels(*arguments)
            finally:
                ray_constants.DEFAULT_RUNTIME_ENV_DIR_NAME = usual
