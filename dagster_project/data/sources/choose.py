"""The contract's servers: which one is read, and how."""

from collections.abc import Callable

from dagster_project.data.sources.databases import duckdb_source, postgres_source
from dagster_project.data.sources.files import local_source, object_source
from dagster_project.data.sources.parts import Source, wrong_server
from dagster_project.domain.contract import DataContract, Server
from dagster_project.domain.workspace import Workspace

SAMPLE = "sample"
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

    For ``sample``, read for strangers, the first one serves only where it is in a package or in the repository.

    Raises:
        UserFileError: the contract has no server, or none that a stranger may see.
    """
    if not contract.servers:
        raise wrong_server(contract, None, "nothing says where the rows come from.", "Add a server.")
    matching = [server for server in contract.servers if server.environment == workspace.environment]
    chosen = matching[0] if workspace.environment and matching else contract.servers[0]
    if workspace.environment == SAMPLE and not matching and chosen.type != "local":
        hint = f"Declare a server with environment: {SAMPLE}, or have a maintainer approve the real build."
        raise wrong_server(contract, chosen, "it is not for strangers, and there is no sample.", hint)
    return chosen


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
