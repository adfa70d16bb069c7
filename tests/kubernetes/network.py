"""An address for a pod: a network namespace with one cable to this machine, gone with the pod's last process.

Nobody but this machine reaches it: 10.213.0.0/16 is routed nowhere. Needs root and ``ip``.
"""

import subprocess
from dataclasses import dataclass

_PREFIX = "acts-pod"


@dataclass(frozen=True)
class Cable:
    """The two ends: ours, by which pods reach servers of this machine, and the pod's."""

    here: str
    pod: str


def plug(pid: int) -> Cable:
    """Give the network namespace of process ``pid`` an address.

    Raises:
        RuntimeError: no number is free, or the kernel refused.
    """
    for number in range(1, 250):
        name, cable = f"{_PREFIX}{number}", Cable(f"10.213.{number}.1", f"10.213.{number}.2")
        made = _ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
        if made.returncode == 0:
            _must("addr", "add", f"{cable.here}/30", "dev", name)
            _must("link", "set", name, "up")
            _inside(pid, "addr", "add", f"{cable.pod}/30", "dev", "eth0")
            _inside(pid, "link", "set", "eth0", "up")
            _inside(pid, "route", "add", "default", "via", cable.here)
            return cable
        if "File exists" not in made.stderr:
            raise RuntimeError(f"no cable to process {pid}: {made.stderr.strip()}")
    raise RuntimeError(f"interfaces {_PREFIX}1 to {_PREFIX}249 are all taken: end the pods that are left")


def _must(*arguments: str) -> None:
    done = _ip(*arguments)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


def _inside(pid: int, *arguments: str) -> None:
    command = ["nsenter", f"--net=/proc/{pid}/ns/net", "ip", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")


def _ip(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["ip", *arguments], check=False, capture_output=True, text=True)
