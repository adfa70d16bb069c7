"""The first process of a pod: brings up what is in its namespaces, starts the command, ends with it.

``python -I -S pod_init.py COMMAND...`` as process 1 of namespaces of its own. Waits for a line on standard input (the
network is there), hands SIGTERM on, and waits for whatever is orphaned. Standard input's end is the end of who started
it, and so of the pod. When it ends, the kernel ends all the rest.
"""

import os
import signal
import subprocess
import sys
import threading

GRACE = 10  # seconds from SIGTERM to the end of the pod


def main(command: list[str]) -> int:
    """The command's exit code."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    if not sys.stdin.readline():
        return 1
    threading.Thread(target=_watch, daemon=True).start()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    signal.signal(signal.SIGTERM, lambda *_: _end(child.pid))
    signal.signal(signal.SIGALRM, lambda *_: os._exit(1))
    while True:
        pid, status = os.wait()
        if pid == child.pid:
            return os.waitstatus_to_exitcode(status) & 0xFF


def _watch() -> None:
    sys.stdin.read()
    os._exit(1)


def _end(pid: int) -> None:
    signal.alarm(GRACE)
    os.kill(pid, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
