"""The page at ``/``: one file that loads nothing from anywhere, and the policy that holds a browser to that."""

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

_PAGE = files("dagster_project.serving").joinpath("page.html").read_bytes()


def page() -> bytes:
    """The page as it is sent."""
    return _PAGE


def _source(tag: bytes) -> bytes:
    """The page's one element of this kind, as a source that the policy allows."""
    inside = _PAGE.partition(b"<%s>" % tag)[2].partition(b"</%s>" % tag)[0]
    return b"'sha256-%s'" % b64encode(sha256(inside).digest())


CSP = b"; ".join(
    (
        b"default-src 'none'",
        b"script-src " + _source(b"script"),
        b"style-src " + _source(b"style"),
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
"""Content-Security-Policy (https://www.w3.org/TR/CSP3/): this page's own script and style by hash, nothing else."""
