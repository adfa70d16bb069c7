"""Read everything that a tree declares, and gather every problem of every file before saying anything."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from .architecture import MOST_BYTES, architecture_file
from .base import digest_of_bytes
from .contract import DataContract
from .contract_graph import check_contracts
from .errors import Problem, UserFileError
from .gates import Floor
from .guards import check_floor, check_spec, missing_contract
from .lock import ChampionLock
from .odcs import load_contract
from .profiles import load_profiles
from .repository import Repository, Tree
from .spec import ModelSpec
from .specs import read
from .validation import suggest
from .yamlfile import Document

CONTRACTS, MODELS, FLOOR = "data_contracts", "models", "models/floor.yaml"
_CONTRACT = re.compile(r"data_contracts/([^/]+)\.yaml")
_SQL = re.compile(r"data_contracts/([^/]+)\.sql")
_MODEL = re.compile(r"models/([^/]+)/(spec\.yaml|champion\.lock\.yaml)")
_ARCHITECTURE = re.compile(r"models/([^/]+)/architecture\.py")
_CARD = re.compile(r"models/[^/]+/card\.md")
_FREE = re.compile(r"(.*/)?(\.[^/]*|[^/]*\.(md|py|txt))")


# A plan reads two trees in which most contracts are the same bytes, and checking one takes a while.
_contract = lru_cache(maxsize=256)(load_contract)


@dataclass
class Reading:
    """What could be read of a tree, and everything that is wrong with the rest."""

    repository: Repository
    problems: list[Problem]
    unread: list[Problem] = field(default_factory=list)
    """Those of ``problems`` that made a file unreadable; the others are guards' and cross checks'."""


def load_repository(tree: Tree) -> Repository:
    """Everything declared, checked.

    Raises:
        UserFileError: with every problem of every file.
    """
    reading = read_repository(tree)
    if reading.problems:
        raise UserFileError(reading.problems)
    return reading.repository


def read_repository(tree: Tree) -> Reading:
    """As :func:`load_repository`, but for callers who go on with what could be read, such as the plan."""
    reader = _Reader(tree)
    reader.read()
    repository = Repository(
        contracts=reader.contracts, specs=reader.specs, locks=reader.locks, floor=reader.floor, files=reader.files
    )
    crossed = [*check_contracts(reader.contracts, reader.unreadable()), *reader.crossed()]
    return Reading(repository, [*reader.problems, *crossed], reader.problems)


class _Reader:
    """One pass over the files, then the cross checks."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.paths = [*tree.paths(CONTRACTS), *tree.paths(MODELS)]
        self.contracts: dict[str, DataContract] = {}
        self.specs: dict[str, ModelSpec] = {}
        self.locks: dict[str, ChampionLock] = {}
        self.floor = Floor()
        self.files: dict[str, str] = {}
        self.documents: dict[str, Document] = {}
        self.problems: list[Problem] = []

    def read(self) -> None:
        """Every file that the layout knows; a YAML file that it does not know is a problem, not ignored."""
        self.paths.sort(key=lambda path: bool(_ARCHITECTURE.fullmatch(path)))  # they belong to a spec
        for path in self.paths:
            if match := _CONTRACT.fullmatch(path):
                self._contract(match[1], path)
            elif match := _SQL.fullmatch(path):
                self._sql(match[1], path)
            elif path == FLOOR:
                self._floor(path)
            elif match := _MODEL.fullmatch(path):
                self._model(match[1], path)
            elif _CARD.fullmatch(path):
                self._bytes(path)
            elif match := _ARCHITECTURE.fullmatch(path):
                self._architecture(match[1], path)
            elif not _FREE.fullmatch(path):
                self._stray(path)

    def unreadable(self) -> set[str]:
        """Contracts that are there but could not be read: nobody else is blamed for that."""
        names = {match[1] for path in self.paths if (match := _CONTRACT.fullmatch(path))}
        return names - self.contracts.keys()

    def crossed(self) -> Iterable[Problem]:
        """Guards of specs against their contracts, and of the floor."""
        if FLOOR in self.documents:
            yield from check_floor(self.floor, self.documents[FLOOR])
        profiles = load_profiles()
        for name, spec in self.specs.items():
            document = self.documents[name]
            contract = self.contracts.get(spec.contract.name)
            yield from check_spec(spec, contract, profiles, document)
            if contract is None and spec.contract.name not in self.unreadable():
                yield missing_contract(spec, self.contracts, document)

    def _bytes(self, path: str) -> bytes | None:
        try:
            data = self.tree.read(path)
        except UserFileError as error:
            self.problems += error.problems
            return None
        self.files[path] = digest_of_bytes(data)
        return data

    def _contract(self, name: str, path: str) -> None:
        data = self._bytes(path)
        sql_path = f"{CONTRACTS}/{name}.sql"
        sql = self._bytes(sql_path) if sql_path in self.paths else None
        if data is None:
            return
        try:
            text = None if sql is None else sql.decode("utf-8")
            self.contracts[name] = _contract(data, path, text, None if sql is None else sql_path)
        except UnicodeDecodeError as error:
            line = 1 + (sql or b"").count(b"\n", 0, error.start)
            self._say(sql_path, f"byte {error.start} is not UTF-8.", "Save the file as UTF-8 text.", line)
        except UserFileError as error:
            self.problems += error.problems

    def _sql(self, name: str, path: str) -> None:
        if f"{CONTRACTS}/{name}.yaml" not in self.paths:
            self._say(path, "there is no contract beside this SQL.", f"Write {CONTRACTS}/{name}.yaml, or remove it.")

    def _floor(self, path: str) -> None:
        data = self._bytes(path)
        if data is None:
            return
        floor, document, problems = read(Floor, data, path)
        self.problems += problems
        if floor and document:
            self.floor, self.documents[FLOOR] = floor, document

    def _model(self, name: str, path: str) -> None:
        data = self._bytes(path)
        if data is None:
            return
        if path.endswith("/spec.yaml"):
            spec, document, problems = read(ModelSpec, data, path)
            if spec and document:
                if spec.architecture is not None:
                    hint = f"Write it to {architecture_file(name)}."
                    problems = [*problems, document.problem(("architecture",), "a network is no part of a spec.", hint)]
                    spec = spec.model_copy(update={"architecture": None})
                self.specs[name], self.documents[name] = spec, document
                self._named(document, "name", spec.name, name)
        else:
            lock, document, problems = read(ChampionLock, data, path)
            if lock and document:
                self.locks[name] = lock
                self._named(document, "model", lock.model, name)
            if f"{MODELS}/{name}/spec.yaml" not in self.paths:
                hint = "Remove the lock with the model, or restore spec.yaml."
                self._say(path, "there is no spec beside this lock.", hint)
        self.problems += problems

    def _architecture(self, name: str, path: str) -> None:
        data = self._bytes(path)
        if f"{MODELS}/{name}/spec.yaml" not in self.paths:
            self._say(path, "there is no spec beside this network.", "Restore spec.yaml, or remove the file.")
        if data is None or name not in self.specs:
            return
        if len(data) > MOST_BYTES:
            self._say(path, f"it has {len(data):,} bytes; at most {MOST_BYTES:,} are read.", "Write less.")
            return
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            self._say(path, f"byte {error.start} is not UTF-8.", "Save the file as UTF-8 text.")
        else:
            self.specs[name] = self.specs[name].model_copy(update={"architecture": text})

    def _named(self, document: Document, key: str, given: str, folder: str) -> None:
        if given != folder:
            message = f"it says {given}, but the folder is called {folder}."
            self.problems.append(document.problem((key,), message, "Make them equal.", code="name"))

    def _stray(self, path: str) -> None:
        name = path.rsplit("/", 1)[-1]
        hint = suggest(name, ("spec.yaml", "champion.lock.yaml", "floor.yaml"))
        if path.startswith(f"{CONTRACTS}/"):
            hint = f"Contracts are {CONTRACTS}/NAME.yaml, with NAME.sql beside where the dataset is derived."
        self._say(path, "nothing reads this file.", hint)

    def _say(self, path: str, message: str, hint: str, line: int | None = None) -> None:
        self.problems.append(Problem(file=path, line=line, message=message, hint=hint, code="layout"))
