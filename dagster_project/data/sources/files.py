"""Files on a disk, in a package or on object storage, found by a glob."""

import hashlib
import importlib.util
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from dagster_project.data.records import FileMark
from dagster_project.data.sources.csv_files import check_ends, scan_csv, unzip
from dagster_project.data.sources.parts import Part, Source, UnreadableError, wrong_server
from dagster_project.domain.contract import DataContract, Server
from dagster_project.domain.errors import MachineryError
from dagster_project.domain.workspace import Workspace

if TYPE_CHECKING:
    import polars as pl

PACKAGE = "package://"
SUFFIXES = (".csv", ".csv.gz", ".csv.zip")
DELIVER = "Deliver the file again."


def local_source(contract: DataContract, server: Server, workspace: Workspace) -> Source:
    """Files below the repository by ``path`` (a glob), or one file of an installed package.

    Raises:
        UserFileError: nothing lies there.
    """
    declared = str(server.options.get("path") or "")
    if declared.startswith(PACKAGE):
        found = [(declared, _in_package(declared, contract, server))]
    else:
        paths = sorted(path for path in _matches(workspace.repo, declared) if path.is_file())
        found = [(_named(path, workspace.repo), path) for path in paths]
    if not found:
        raise _nothing(contract, server, declared)
    parts = tuple(_local_part(name, path, _format(server, path.name), server) for name, path in found)
    return Source(declared, not declared.startswith(PACKAGE), parts)


def _matches(repo: Path, declared: str) -> list[Path]:
    path = Path(declared)
    root, pattern = (Path(path.anchor), str(path.relative_to(path.anchor))) if path.is_absolute() else (repo, declared)
    return list(root.glob(pattern)) if pattern not in ("", ".") else []


def _named(path: Path, repo: Path) -> str:
    return path.relative_to(repo).as_posix() if path.is_relative_to(repo) else path.as_posix()


def _in_package(declared: str, contract: DataContract, server: Server) -> Path:
    """The file without importing the package, whose import may fail."""
    name, _, inner = declared.removeprefix(PACKAGE).partition("/")
    spec = importlib.util.find_spec(name) if name.isidentifier() else None
    roots = list(spec.submodule_search_locations or ()) if spec else []
    for root in roots:
        path = (Path(root) / inner).resolve()
        if path.is_file() and path.is_relative_to(Path(root).resolve()):
            return path
    message = f"{declared}: no such file in an installed package."
    raise wrong_server(
        contract, server, message, f"Install the distribution that brings `{name}`, or correct the path."
    )


def _local_part(name: str, path: Path, kind: str, server: Server) -> Part:
    stat = path.stat()
    mark = FileMark(path=name, size=stat.st_size, mark=str(stat.st_mtime_ns))
    digest, beside = partial(_file_digest, path), partial(_file_beside, path.parent)
    if kind == "parquet":
        return Part(mark, partial(_scan_parquet, str(path), name, stat.st_size), digest=digest, beside=beside)
    scan = partial(_scan_local_csv, path, name, server.options)
    return Part(mark, scan, text=True, digest=digest, beside=beside)


def _file_beside(folder: Path, name: str) -> bytes:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise FileNotFoundError(f"{name} is not in the folder of the file that names it")
    return path.read_bytes()


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def _scan_local_csv(path: Path, name: str, options: dict[str, Any]) -> "pl.LazyFrame":
    size = path.stat().st_size
    if size == 0:
        raise UnreadableError(f"{name} is empty: it has no header", DELIVER)
    if path.suffix == ".zip":
        data = unzip(path, name)
        check_ends(BytesIO(data), len(data), name, options)
        return scan_csv(BytesIO(data), options)
    if path.suffix != ".gz":
        with path.open("rb") as file:
            check_ends(file, size, name, options)
    return scan_csv(path, options)


def _scan_parquet(path: str, name: str, size: int, storage: dict[str, str] | None = None) -> "pl.LazyFrame":
    import polars as pl

    if size == 0:
        raise UnreadableError(f"{name} is empty: it is no Parquet file", DELIVER)
    return pl.scan_parquet(path, glob=False, storage_options=storage or None)


def object_source(contract: DataContract, server: Server, _workspace: Workspace) -> Source:
    """Objects by ``location`` (``s3://bucket/prefix/*.parquet``); credentials come from the environment.

    Raises:
        UserFileError: nothing lies there.
        MachineryError: the storage doesn't answer.
    """
    from s3fs import S3FileSystem

    location, endpoint = str(server.options.get("location") or ""), server.options.get("endpointUrl")
    system = S3FileSystem(endpoint_url=endpoint, use_listings_cache=False, skip_instance_cache=True)
    objects = _listed(system, location, contract, server)
    if not objects:
        raise _nothing(contract, server, location)
    storage = {"aws_endpoint_url": endpoint, "aws_allow_http": "true"} if endpoint else {}
    parts = tuple(_object_part(system, key, details, server, storage) for key, details in objects)
    return Source(location, True, parts)


def _listed(system: Any, location: str, contract: DataContract, server: Server) -> list[tuple[str, dict[str, Any]]]:
    try:
        found = system.glob(location, detail=True)
    except FileNotFoundError as error:
        raise _nothing(contract, server, location) from error
    except Exception as error:  # botocore and aiohttp raise a tree of their own each
        words = f"{type(error).__name__}: {error}"[:300]
        message = f"{contract.file}: server {server.name}: {location} doesn't answer: {words}"
        raise MachineryError(f"{message}. Check the endpoint and the AWS_* environment.") from error
    return sorted((key, details) for key, details in found.items() if details.get("type") == "file")


def _object_part(system: Any, key: str, details: dict[str, Any], server: Server, storage: dict[str, str]) -> Part:
    uri, size = f"s3://{key}", int(details["size"])
    beside = partial(_object_beside, system, key.rpartition("/")[0])
    mark = FileMark(path=uri, size=size, mark=str(details.get("ETag", "")).strip('"'))
    if _format(server, key) == "parquet":
        return Part(mark, partial(_scan_parquet, uri, uri, size, storage), beside=beside)
    scan = partial(_scan_object_csv, partial(system.open, key, "rb"), uri, size, server, storage)
    return Part(mark, scan, text=True, beside=beside)


def _object_beside(system: Any, folder: str, name: str) -> bytes:
    if ".." in name.split("/"):
        raise FileNotFoundError(f"{name} is not in the folder of the object that names it")
    data: bytes = system.cat_file(f"{folder}/{name.lstrip('/')}")
    return data


def _scan_object_csv(
    opened: Callable[[], BinaryIO], uri: str, size: int, server: Server, storage: dict[str, str]
) -> "pl.LazyFrame":
    if not uri.endswith((".gz", ".zip")):
        with opened() as file:
            check_ends(file, size, uri, server.options)
    return scan_csv(uri, server.options, storage)


def _format(server: Server, name: str) -> str:
    return str(server.options.get("format") or ("csv" if name.endswith(SUFFIXES) else "parquet"))


def _nothing(contract: DataContract, server: Server, place: str) -> Exception:
    return wrong_server(contract, server, f"no file matches `{place}`.", "Correct the path, or deliver the first file.")
