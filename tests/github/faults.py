"""Faults that a test orders: the next requests of a kind fail in a given way."""

import re
from dataclasses import dataclass, field


@dataclass
class Fault:
    """One order. ``status`` None: no answer of its own.

    ``hang``: seconds before anything happens. ``lost``: the work is done and then the connection cut; with
    ``done`` False it is cut before."""

    method: str
    path: re.Pattern[str]
    status: int | None
    headers: dict[str, str]
    body: dict[str, object]
    hang: float
    lost: bool
    done: bool
    times: int


@dataclass
class Faults:
    """Orders that are open, first come first served."""

    orders: list[Fault] = field(default_factory=list)
    #: method and path of each request that a fault met
    met: list[tuple[str, str]] = field(default_factory=list)

    def next(
        self,
        method: str = ".*",
        path: str = ".*",
        status: int | None = None,
        headers: dict[str, str] | None = None,
        body: dict[str, object] | None = None,
        hang: float = 0.0,
        lost: bool = False,
        done: bool = True,
        times: int = 1,
    ) -> None:
        """The next ``times`` requests whose method and path fit (regular expressions, searched) fail so."""
        text = body or {"message": "Server Error", "documentation_url": "https://docs.github.com/rest"}
        self.orders.append(Fault(method, re.compile(path), status, headers or {}, text, hang, lost, done, times))

    def rate_limited(self, reset: int, method: str = ".*", path: str = ".*", times: int = 1) -> None:
        """The hour's requests are used up until ``reset`` (seconds of the epoch)."""
        headers = {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": "0", "x-ratelimit-reset": str(reset)}
        text = {
            "message": "API rate limit exceeded for installation.",
            "documentation_url": "https://docs.github.com/rest",
        }
        self.next(method, path, 403, headers, text, times=times)

    def secondary_limit(
        self, seconds: int, method: str = ".*", path: str = ".*", times: int = 1, status: int = 403
    ) -> None:
        """Too many at once: come back in ``seconds``."""
        text = {
            "message": "You have exceeded a secondary rate limit.",
            "documentation_url": "https://docs.github.com/rest",
        }
        self.next(method, path, status, {"retry-after": str(seconds)}, text, times=times)

    def take(self, method: str, path: str) -> Fault | None:
        """The order that meets this request, used once."""
        for order in self.orders:
            if re.fullmatch(order.method, method) and order.path.search(path):
                order.times -= 1
                if order.times <= 0:
                    self.orders.remove(order)
                self.met.append((method, path))
                return order
        return None
