"""A bundle's headroom report, read as a stranger's data: shown, believed by no gate."""

from pydantic import ValidationError

from ci.judging.models import JudgedModel
from dagster_project.domain.bundle import HEADROOM
from dagster_project.domain.errors import RefusedError
from dagster_project.domain.headroom_report import HeadroomReport
from dagster_project.storage.store import ArtifactStore

MOST_BYTES = 1024 * 1024


def headroom_of(store: ArtifactStore, model: JudgedModel) -> HeadroomReport | None:
    """The report; None where the spec did not ask for one, or the bundle is from before there were any.

    Raises:
        RefusedError: it is none, or larger than any.
    """
    entry = model.manifest.files.get(HEADROOM)
    if entry is None:
        return None
    if entry.size > MOST_BYTES:
        raise RefusedError(f"{HEADROOM}: {entry.size:,} bytes, more than {MOST_BYTES:,}. Build the bundle again.")
    try:
        return HeadroomReport.from_json(store.get(entry.digest))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise RefusedError(f"{HEADROOM}: {where}: {first['msg']}. Build the bundle again.") from error
