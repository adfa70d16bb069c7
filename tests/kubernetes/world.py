"""The objects of a Kubernetes cluster, in memory: versions, preconditions, finalizers and the garbage collector."""

import copy
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.kubernetes import refusals
from tests.kubernetes.admission import admit

Object = dict[str, Any]
Key = tuple[str, str, str]
KINDS = {
    "rayjobs": ("ray.io/v1", "RayJob"),
    "rayclusters": ("ray.io/v1", "RayCluster"),
    "jobs": ("batch/v1", "Job"),
    "pods": ("v1", "Pod"),
    "services": ("v1", "Service"),
    "endpoints": ("v1", "Endpoints"),
    "secrets": ("v1", "Secret"),
    "events": ("v1", "Event"),
}
FOREGROUND = "foregroundDeletion"


@dataclass(frozen=True)
class Change:
    """Something that came, was asked to go, or went; seconds since 1970."""

    at: float
    what: str
    plural: str
    name: str
    labels: dict[str, str] = field(hash=False)


@dataclass
class World:
    """All objects. Every method holds the lock; what they answer is a copy."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    objects: dict[Key, Object] = field(default_factory=dict)
    history: list[Change] = field(default_factory=list)
    version: int = 0

    def create(self, plural: str, namespace: str, body: Object) -> Object:
        """Store a new object.

        Raises:
            Refusal: it is not valid, or the name is taken.
        """
        made, (api, kind) = copy.deepcopy(body), KINDS[plural]
        made |= {"apiVersion": api, "kind": kind}
        metadata = made.setdefault("metadata", {})
        if "generateName" in metadata and "name" not in metadata:
            metadata["name"] = metadata["generateName"] + uuid.uuid4().hex[:5]
        admit(kind, made)
        with self.lock:
            key = (plural, namespace, metadata["name"])
            if key in self.objects:
                raise refusals.exists(plural, key[2])
            metadata |= {"namespace": namespace, "uid": str(uuid.uuid4()), "creationTimestamp": now(), "generation": 1}
            self._store(key, made)
            self._note("created", key)
            return copy.deepcopy(made)

    def get(self, plural: str, namespace: str, name: str) -> Object:
        """An object; raises 404."""
        with self.lock:
            return copy.deepcopy(self._found((plural, namespace, name)))

    def find(self, plural: str, namespace: str, name: str) -> Object | None:
        """An object, or None."""
        with self.lock:
            return copy.deepcopy(self.objects.get((plural, namespace, name)))

    def all(self, plural: str, namespace: str | None, *fits: Callable[[Object], bool]) -> list[Object]:
        """Those of a kind, in one namespace or in all, by name."""
        with self.lock:
            keys = sorted(key for key in self.objects if key[0] == plural and namespace in (None, key[1]))
            found = [self.objects[key] for key in keys]
            return [copy.deepcopy(each) for each in found if not [fit for fit in fits if not fit(each)]]

    def update(self, key: Key, change: Callable[[Object], Object], *, part: str | None = None) -> Object:
        """Replace an object by what ``change`` makes of it; ``part``: ``status``, where only that may change.

        Raises:
            Refusal: not there, not valid, or made from an older version.
        """
        with self.lock:
            old = self._found(key)
            new = change(copy.deepcopy(old))
            wanted = new.get("metadata", {}).get("resourceVersion")
            if wanted not in (None, old["metadata"]["resourceVersion"]):
                raise refusals.conflict(key[0], key[2], "the object has been modified; please apply your changes")
            made = {**old, "status": new.get("status")} if part == "status" else _without_status(new, old)
            for fixed in ("uid", "creationTimestamp", "deletionTimestamp", "generation"):
                if fixed in old["metadata"]:
                    made["metadata"][fixed] = old["metadata"][fixed]
            if made == old:
                return copy.deepcopy(old)
            admit(KINDS[key[0]][1], made)
            made["metadata"]["generation"] += made.get("spec") != old.get("spec")
            self._store(key, made)
            self._settle(key)
            return copy.deepcopy(made)

    def delete(
        self, key: Key, propagation: str = "Background", uid: str | None = None, version: str | None = None
    ) -> Object | None:
        """Ask an object to go; None: it went at once. Pods and what has finalizers wait for whoever looks after them.

        Raises:
            Refusal: not there, or a precondition does not hold.
        """
        with self.lock:
            found = self._found(key)
            metadata = found["metadata"]
            for name, wanted in (("uid", uid), ("resourceVersion", version)):
                if wanted not in (None, metadata[name]):
                    raise refusals.conflict(key[0], key[2], f"precondition failed: {name} {wanted} is {metadata[name]}")
            if propagation == "Orphan":
                self._orphan(metadata["uid"])
            if propagation == "Foreground" and FOREGROUND not in metadata.setdefault("finalizers", []):
                metadata["finalizers"].append(FOREGROUND)
            if "deletionTimestamp" not in metadata:
                metadata["deletionTimestamp"] = now()
                self._note("asked to go", key)
                self._store(key, found)
            self._settle(key)
            return copy.deepcopy(self.objects.get(key))

    def gone(self, key: Key) -> None:
        """A pod's processes have ended: the object goes."""
        with self.lock:
            if key in self.objects:
                self._remove(key)

    def collect(self) -> None:
        """What the garbage collector does: dependents go with their owner, or before it."""
        with self.lock:
            uids = {each["metadata"]["uid"]: each["metadata"] for each in self.objects.values()}
            for key, each in list(self.objects.items()):
                owners = each["metadata"].get("ownerReferences") or []
                waits = [FOREGROUND in (uids.get(owner["uid"]) or {}).get("finalizers", []) for owner in owners]
                lost = owners and not any(owner["uid"] in uids for owner in owners)
                if (lost or any(waits)) and "deletionTimestamp" not in each["metadata"]:
                    self.delete(key, "Foreground" if any(waits) else "Background")
            for key, each in list(self.objects.items()):
                held = each["metadata"].get("finalizers", [])
                if FOREGROUND in held and not self._dependents(each["metadata"]["uid"]):
                    held.remove(FOREGROUND)
                    self._settle(key)

    def _dependents(self, uid: str) -> list[Object]:
        every = self.objects.values()
        return [each for each in every if uid in [o["uid"] for o in each["metadata"].get("ownerReferences") or []]]

    def _orphan(self, uid: str) -> None:
        for each in self._dependents(uid):
            each["metadata"]["ownerReferences"] = [o for o in each["metadata"]["ownerReferences"] if o["uid"] != uid]

    def _settle(self, key: Key) -> None:
        """What was asked to go and holds nothing back is gone; a pod waits for its processes."""
        metadata = self.objects[key]["metadata"]
        if "deletionTimestamp" in metadata and not metadata.get("finalizers") and key[0] != "pods":
            self._remove(key)

    def _found(self, key: Key) -> Object:
        if key not in self.objects:
            raise refusals.not_found(key[0], key[2])
        return self.objects[key]

    def _store(self, key: Key, made: Object) -> None:
        self.version += 1
        made["metadata"]["resourceVersion"] = str(self.version)
        self.objects[key] = made

    def _remove(self, key: Key) -> None:
        self._note("gone", key)
        del self.objects[key]

    def _note(self, what: str, key: Key) -> None:
        labels = self.objects[key]["metadata"].get("labels") or {}
        self.history.append(Change(time.time(), what, key[0], key[2], labels))


def now() -> str:
    """The time as Kubernetes writes it."""
    return stamp(time.time())


def stamp(seconds: float) -> str:
    """Seconds since 1970 as Kubernetes writes a time."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(text: str) -> float:
    """What ``stamp`` was given, in whole seconds."""
    return datetime.fromisoformat(text).timestamp()


def owned_by(owner: Object) -> list[dict[str, Any]]:
    """The reference of a controller to what it made."""
    metadata = owner["metadata"]
    made = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": metadata["name"], "uid": metadata["uid"]}
    return [{**made, "controller": True, "blockOwnerDeletion": True}]


def key_of(found: Object) -> Key:
    """Where an object stands."""
    plural = next(plural for plural, (_, kind) in KINDS.items() if kind == found["kind"])
    return plural, found["metadata"]["namespace"], found["metadata"]["name"]


def _without_status(new: Object, old: Object) -> Object:
    """Kinds with a status subresource keep their status in an ordinary update; pods too."""
    made = {name: value for name, value in new.items() if name != "status"}
    return {**made, "status": old["status"]} if "status" in old else made
