"""Runs of workflows and the artifacts that they left. What is in an artifact is a stranger's: bytes, nothing more."""

from hashlib import sha256

from dagster_project.domain.errors import MachineryError, RefusedError, UsageError

from . import reading
from .connection import Connection
from .patience import UnsettledError
from .values import Artifact, Run

CHUNK = 1 << 16


def run(connection: Connection, number: int) -> Run:
    """One run, by the id that the event gave."""
    return reading.run(connection.get("actions", "runs", number))


def artifacts(connection: Connection, run: int) -> tuple[Artifact, ...]:
    """What a run left, by name."""
    found = connection.pages("actions", "runs", run, "artifacts", key="artifacts")
    return tuple(sorted((reading.artifact(each) for each in found), key=lambda artifact: (artifact.name, artifact.id)))


def download(connection: Connection, artifact: Artifact, most: int) -> bytes:
    """The zip file, at most ``most`` bytes of it, which must hash to the digest that GitHub gives.

    Raises:
        UsageError: GitHub has deleted it.
        RefusedError: it is larger than ``most``.
        MachineryError: it isn't what was uploaded.
    """
    if artifact.expired:
        raise UsageError(f"the artifact {artifact.name} has expired. Run the workflow that made it again.")
    if artifact.size > most:
        raise _too_large(artifact, most)
    data = _stream(connection, artifact, most)
    if artifact.digest is not None and f"sha256:{sha256(data).hexdigest()}" != artifact.digest:
        raise MachineryError(
            f"the artifact {artifact.name} isn't what was uploaded: its digest differs. Run this again."
        )
    return data


def _stream(connection: Connection, artifact: Artifact, most: int) -> bytes:
    """Counts while it reads: the size that was told may be wrong. ``requests`` keeps the token from other hosts."""
    from github3.exceptions import error_for
    from requests.exceptions import RequestException

    url = connection.url("actions", "artifacts", artifact.id, "zip")
    data = bytearray()
    with connection.session.get(url, stream=True, headers={"Accept-Encoding": "identity"}) as answer:
        if answer.status_code >= 400:
            raise error_for(answer)
        try:
            for chunk in answer.iter_content(CHUNK):
                data += chunk
                if len(data) > most:
                    raise _too_large(artifact, most)
        except RequestException as error:
            raise UnsettledError(f"the artifact {artifact.name} broke off ({type(error).__name__})") from None
    return bytes(data)


def _too_large(artifact: Artifact, most: int) -> RefusedError:
    return RefusedError(f"the artifact {artifact.name} has more than {most:,} bytes, the most that is taken.")
