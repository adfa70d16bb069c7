"""The contract's servers: which one is read, and how."""

from collections.abc import Callable

from dagster_project.data.sources.databases import duckdb_source, postgres_source
from dagster_project.data.sources.files import local_source, object_source
from dagster_project.data.sources.parts import Source, wrong_server
from dagster_project.domain.contract import DataContract, Server
from dagster_project.domain.workspace import Workspace

Opener = Callable[[DataContract, Server, Workspace], Source]
OPENERS: dict[str, Opener] = {
    "local": local_source,
    "s3": object_source,
    "postgres": postgres_source,
    "postgresql": postgres_source,
    "duckdb": duckdb_source,
}


def chosen_server(contract: DataContract, workspace: Workspace) -> Server:
    """The server of ACTS_ENVIRONMENT; the first where the contract has none for it, or nothing is asked for.

    Raises:
        UserFileError: the contract has no server.
    """
    if not contract.servers:
        raise wrong_server(contract, None, "nothing says where the rows come from.", "Add a server.")
    matching = [server for server in contract.servers if server.environment == workspace.environment]
    return matching[0] if workspace.environment and matching else contract.servers[0]


def open_source(contract: DataContract, server: Server, workspace: Workspace) -> Source:
    """The parts behind ``server``; their rows are read later.

    Raises:
        UserFileError: nothing lies there, or such servers are not read.
        MachineryError: it doesn't answer.
    """
    opener = OPENERS.get(server.type)
    if opener is None:
        hint = f"Use one of {', '.join(OPENERS)}."
        raise wrong_server(contract, server, f"servers of type {server.type} are not read.", hint)
    return opener(contract, server, workspace)
