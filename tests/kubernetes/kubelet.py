"""Plays the nodes of a Kubernetes cluster: a head's pod becomes a Ray cluster of real processes.

The workers are started by Ray's autoscaler itself; each that runs is shown as a pod, and a pod that is asked to go
takes its raylet with it. None of this needs the operator: what runs goes on running when that is dead.
"""

import threading
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.kubernetes import pods
from tests.kubernetes.cluster import Cluster, Node, start
from tests.kubernetes.dashboard import TOKEN
from tests.kubernetes.world import Key, Object, World, key_of

_LETTERS = 5


@dataclass
class Running:
    """A head's processes. ``workers``: pod by Ray node, as long as its raylet runs."""

    cluster: Cluster
    workers: dict[str, str] = field(default_factory=dict)
    ended: bool = False


@dataclass
class Kubelet:
    """All nodes. ``every``: what ever ran, to be looked at afterwards; ``logs``: where a pod's lines are."""

    world: World
    logs: dict[str, Path]
    heads: dict[Key, Running] = field(default_factory=dict)
    every: list[Cluster] = field(default_factory=list)
    _ending: list[threading.Thread] = field(default_factory=list)

    def step(self) -> None:
        """Look at every head's pod once: what it asks for, and what became of it."""
        wanted = {key_of(pod): pod for pod in self._pods("head")}
        for key, pod in wanted.items():
            if "deletionTimestamp" in pod["metadata"]:
                self._end(key)
            elif key in self.heads:
                self._look(key, pod, self.heads[key])
            elif pods.phase(pod) == "Pending":
                self._start(key, pod)

    def stop(self) -> None:
        """End everything."""
        for key in list(self.heads):
            self._end(key)
        for thread in self._ending:
            thread.join(60)

    def newest(self) -> Cluster | None:
        """The cluster that was started last, while it runs."""
        alive = [each.cluster for each in self.heads.values() if each.cluster.running()]
        return alive[-1] if alive else None

    def _start(self, key: Key, pod: Object) -> None:
        cluster = self.world.find("rayclusters", key[1], pod["metadata"]["labels"][pods.CLUSTER])
        if cluster is None:
            return
        secret = self.world.find("secrets", key[1], cluster["metadata"]["name"])
        token = b64decode(secret["data"][TOKEN]).decode() if secret else None
        made = start(cluster["spec"], self._variables(key[1], pod), token)
        self.heads[key] = Running(made)
        self.every.append(made)
        self.logs[key[2]] = made.folder / "head.log"
        self._report(key, lambda found: pods.running(found, made.cable.pod, ready=False))

    def _look(self, key: Key, pod: Object, head: Running) -> None:
        if head.cluster.running():
            if not pods.is_ready(pod) and head.cluster.ready():
                self._report(key, lambda found: pods.running(found, head.cluster.cable.pod, ready=True))
            self._mirror(pod, head)
        elif not head.ended:
            head.ended = True
            self._mirror(pod, head)
            self._report(key, lambda found: pods.ended(found, head.cluster.process.returncode & 0xFF or 137))

    def _mirror(self, pod: Object, head: Running) -> None:
        """One pod for each Ray node that the autoscaler started, and none for one that is no more."""
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["labels"][pods.CLUSTER]
        cluster = self.world.find("rayclusters", namespace, name)
        nodes = {node.id: node for node in head.cluster.workers()}
        for node in nodes.values():
            if node.id not in head.workers and cluster is not None:
                head.workers[node.id] = self._show(cluster, node, head.cluster)
        for node_id, shown in list(head.workers.items()):
            key = ("pods", namespace, shown)
            if node_id not in nodes:
                self.world.gone(key)
                del head.workers[node_id]
            elif "deletionTimestamp" in (self.world.find(*key) or {}).get("metadata", {}):
                nodes[node_id].raylet.end(15)

    def _show(self, cluster: Object, node: Node, ray: Cluster) -> str:
        pod = pods.worker_pod(cluster, node.group, node.id[-_LETTERS:])
        made = self.world.create("pods", cluster["metadata"]["namespace"], pod)
        self._report(key_of(made), lambda found: pods.running(found, ray.cable.pod, ready=True))
        return str(made["metadata"]["name"])

    def _end(self, key: Key) -> None:
        """SIGTERM and its grace take a while, so each in a thread of its own."""
        head = self.heads.pop(key, None)
        thread = threading.Thread(target=self._ended, args=(key, head), daemon=True)
        if head or not any(each.name == key[2] and each.is_alive() for each in self._ending):
            thread.name = key[2]
            self._ending.append(thread)
            thread.start()

    def _ended(self, key: Key, head: Running | None) -> None:
        if head:
            head.cluster.stop()
            for worker in head.workers.values():
                self.world.gone(("pods", key[1], worker))
        self.world.gone(key)

    def _pods(self, kind: str) -> list[Object]:
        return self.world.all("pods", None, lambda pod: pod["metadata"].get("labels", {}).get(pods.KIND) == kind)

    def _report(self, key: Key, change: Callable[[Object], Object]) -> None:
        if self.world.find(*key):
            self.world.update(key, change, part="status")

    def _variables(self, namespace: str, pod: Object) -> dict[str, str]:
        """The container's variables: those written down, and every key of the Secrets that it names."""
        container, found = pod["spec"]["containers"][0], dict[str, str]()
        for source in container.get("envFrom") or []:
            secret = self.world.get("secrets", namespace, source["secretRef"]["name"])
            found |= {name: b64decode(value).decode() for name, value in (secret.get("data") or {}).items()}
        written = {each["name"]: each["value"] for each in container.get("env") or [] if "value" in each}
        return {**found, **written}
