"""The pages at ``/`` and ``/review``: files that load nothing from anywhere; policies that hold a browser to that."""

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files


@dataclass(frozen=True)
class Page:
    """A page as it is sent.

    ``policy`` is its Content-Security-Policy (https://www.w3.org/TR/CSP3/): its own script and style by hash, nothing
    else.
    """

    body: bytes
    policy: bytes


def _page(name: str) -> Page:
    body = files("dagster_project.serving").joinpath(name).read_bytes()
    return Page(body, _policy(body))


def _policy(body: bytes) -> bytes:
    return b"; ".join(
        (
            b"default-src 'none'",
            b"script-src " + _source(body, b"script"),
            b"style-src " + _source(body, b"style"),
            b"img-src data:",
            b"connect-src 'self'",
            b"base-uri 'none'",
            b"form-action 'none'",
            b"frame-ancestors 'none'",
            # text can't become markup: the browser refuses innerHTML and the like
            b"require-trusted-types-for 'script'",
            b"trusted-types 'none'",
        )
    )


def _source(body: bytes, tag: bytes) -> bytes:
    """The page's one element of this kind, as a source that the policy allows."""
    inside = body.partition(b"<%s>" % tag)[2].partition(b"</%s>" % tag)[0]
    return b"'sha256-%s'" % b64encode(sha256(inside).digest())


MODELS, REVIEW = _page("page.html"), _page("review.html")
