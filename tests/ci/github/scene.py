"""A repository on the double, the App that judges, and the steps of the workflows called as their jobs call them."""

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ci.github.builds import artifact_name, export_build
from ci.github.outbox import Outbox
from ci.github.submission import ADMITTED
from ci.github.telling import CHECK
from ci.judging.snapshots import snapshot_of
from ci.main import main
from ci.session import open_head
from dagster_project.domain.build import BuildResult
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.ledger import Ledger
from dagster_project.storage.store import ArtifactStore
from tests.ci.workbench import GOOD, MODEL, SPEC, WEAK, change, git, quick_build, save, settled
from tests.github.double import Double
from tests.github.world import Run

NAME, GATE, FORK = "acme/rides", "threeacts-gate", "stranger/rides"
GATE_RIGHTS = {
    "actions": "read", "checks": "write", "contents": "write", "metadata": "read", "pull_requests": "write",
}  # fmt: skip
DEPLOY_RIGHTS = {
    "checks": "read", "contents": "read", "deployments": "write", "metadata": "read", "pull_requests": "read"
}  # fmt: skip
PULL_REQUEST, TRAIN = ".github/workflows/pull-request.yml", ".github/workflows/train.yml"
LOCK = f"models/{MODEL}/champion.lock.yaml"
CODE = {PULL_REQUEST: "name: pull-request\n", "dagster_project/training.py": "SEED = 1\n", "README.md": "# Rides\n"}
BUILT = artifact_name("model", MODEL)
Artifacts = dict[str, dict[str, bytes]]
YES: Artifacts = {ADMITTED: {"admitted": b"yes"}}
"""What the launcher leaves of a commit that it admitted."""


@dataclass(frozen=True)
class Pull:
    """A pull request and the head that it had when it was pushed."""

    number: int
    head: str


@dataclass(frozen=True)
class Handed:
    """What an evaluation handed over."""

    folder: Path
    digest: str
    run: int = 0

    @property
    def outbox(self) -> Outbox:
        return Outbox.from_json((self.folder / "outbox.json").read_bytes())


@dataclass
class Studio:
    """What is made once for all tests: main, builds by their spec, and a warehouse that has the rows."""

    folder: Path
    builds: dict[str, Artifacts] = field(default_factory=dict)
    warm: Path | None = None

    @classmethod
    def opened(cls, folder: Path) -> "Studio":
        """Main holds a model that is not good yet, and no champion."""
        settled(folder / "main", spec=WEAK, **{".gitignore": ".acts/\n", **CODE})
        return cls(folder)

    @property
    def main(self) -> Path:
        return self.folder / "main"

    def build(self, spec: str = GOOD, **files: str) -> Artifacts:
        """What an honest run leaves of a spec and of other files: both datasets, and the model."""
        key = json.dumps([spec, sorted(files.items())])
        if key not in self.builds:
            repo = self.folder / f"build-{len(self.builds)}"
            git(self.folder, "clone", "-q", str(self.main), str(repo))
            for path, text in {SPEC: spec, **files}.items():
                change(repo, path, text)
            quick_build(repo, vouched=False)
            self.builds[key] = {name: _exported(repo, name, result) for name, result in _results(repo)}
            shutil.rmtree(repo)
        return {name: dict(build) for name, build in self.builds[key].items()}


@dataclass(frozen=True)
class Kept:
    """A commit with a better model in a bare repository, and what its judge handed over."""

    repository: Path
    head: str
    handed: Handed


@dataclass(frozen=True)
class Crown:
    """A champion: the files that its pull request brought, and the outbox that its check named."""

    files: dict[str, str]
    outbox: str


@dataclass(frozen=True)
class Crowns:
    """Two champions, one better than the other, and the storage that knows them."""

    storage: Path
    first: Crown
    second: Crown


@dataclass
class Scene:
    """One test's GitHub, storage, and clone of main in which the jobs work."""

    folder: Path
    double: Double
    studio: Studio
    app: int = 0
    _jobs: int = 0

    @classmethod
    def arranged(cls, folder: Path, double: Double, studio: Studio) -> "Scene":
        """Main as the studio has it; the App is installed, octocat owns, maria maintains, tom may triage."""
        double.create_repository(NAME, from_=studio.main)
        app = double.app(GATE, GATE_RIGHTS)
        double.install(GATE, NAME)
        double.user("maria", {NAME: "write"})
        double.user("tom", {NAME: "triage"})
        return cls(folder, double, studio, app.id)

    def desk(self) -> Path:
        """A fresh clone of main, as a job checks it out; rows and diagnoses that are known already lie in it."""
        self._jobs += 1
        clone = self.folder / f"job-{self._jobs}"
        git(self.folder, "clone", "-q", str(self.double.path(NAME)), str(clone))
        if self.studio.warm:
            _moved(self.studio.warm, clone / ".acts")
        return clone

    # What people do

    def pushed(self, branch: str, files: Mapping[str, str | bytes | None], by: str = "octocat", **more: Any) -> Pull:
        """A commit on a branch of the repository, and its pull request, opened by the first."""
        head = self.double.push(NAME, branch, files, by=by, **more)
        return Pull(self._number(branch, by), head)

    def pushed_again(self, kept: "Kept", branch: str = "better") -> tuple[Pull, Handed]:
        """A commit that another scene judged, pushed here; and what its judge handed over, of a run of this scene."""
        bare = self.double.path(NAME)
        git(bare, "fetch", "-q", str(kept.repository), kept.head)
        self.double.force(NAME, branch, kept.head)
        pull = Pull(self._number(branch, "octocat"), kept.head)
        run = self.launched(pull, YES)
        addressed = {"run": run, "pull": pull.number}
        handed = repacked(kept.handed, self.folder / f"handed-{run}", lambda box: box.model_copy(update=addressed))
        return pull, Handed(handed.folder, handed.digest, run)

    def forked(self, branch: str, files: Mapping[str, str | bytes | None]) -> Pull:
        """The same by a stranger, from a fork."""
        if FORK not in self.double.world.repositories:
            self.double.fork(NAME, "stranger")
        head = self.double.push(FORK, branch, files, by="stranger")
        return Pull(self._number(f"stranger:{branch}", "stranger"), head)

    def labelled(self, number: int, by: str, name: str = "acts:train") -> None:
        """A label, set by somebody."""
        self.ask(f"issues/{number}/labels", {"labels": [name]}, self.double.user(by))

    def ran(
        self,
        pull: Pull | int | None,
        *,
        artifacts: Mapping[str, bytes | Mapping[str, Any]] | None = None,
        workflow: str = PULL_REQUEST,
        event: str = "pull_request",
        title: str = "",
        conclusion: str = "success",
    ) -> int:
        """A run of a workflow on a pull request's present head, what it left, and its end; the run's id."""
        run = self.began(pull, workflow=workflow, event=event, title=title)
        for name, content in (artifacts or {}).items():
            self.double.upload_artifact(run, name, content)
        self.double.run_ended(run, conclusion, {"plan": conclusion})
        return run.id

    def began(
        self, pull: Pull | int | None, *, workflow: str = PULL_REQUEST, event: str = "pull_request", title: str = ""
    ) -> Run:
        """A run that goes on."""
        number = pull.number if isinstance(pull, Pull) else pull
        return self.double.run_began(NAME, workflow, event, pull=number, title=title)

    def built(self, pull: Pull | int, spec: str = GOOD, **files: str) -> int:
        """An honest run of pull-request."""
        return self.ran(pull, artifacts=self.studio.build(spec, **files))

    def trained(self, pull: Pull, spec: str = GOOD, **files: str) -> int:
        """An honest run of the launcher, which admitted the commit."""
        return self.launched(pull, self.studio.build(spec, **files) | YES)

    def launched(self, pull: Pull, artifacts: Mapping[str, bytes | Mapping[str, Any]]) -> int:
        """A run of the launcher that left these."""
        title = f"train #{pull.number} at {pull.head}"
        return self.ran(pull, artifacts=artifacts, workflow=TRAIN, event="pull_request_target", title=title)

    # What jobs do

    def acts(
        self, *arguments: str, repo: Path | None = None, token: str = "", environment: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """A step's command in this process; its exit code and all that it said."""
        said = io.StringIO()
        with self._environment(token, environment or {}), redirect_stdout(said), redirect_stderr(said):
            given = () if repo is None else ("--repo", str(repo))
            code = main(["github", *arguments, *given])
        return code, said.getvalue()

    def process(
        self,
        *arguments: str,
        repo: Path,
        token: str = "",
        environment: Mapping[str, str] | None = None,
        first: str = "",
    ) -> "subprocess.Popen[str]":
        """The same in a process of its own; ``first``: Python that runs there before."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("ACTS_", "GITHUB_", "GIT_"))}
        told = {**kept, **self.variables(token), **(environment or {})}
        code = f"{first}\nimport sys\nfrom ci.main import main\nsys.exit(main(sys.argv[1:]))"
        command = [sys.executable, "-c", code, "github", *arguments, "--repo", str(repo)]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=told, stdout=pipe, stderr=subprocess.STDOUT, text=True)

    def announce(self, run: int, *more: str) -> bool:
        """The job announce went well; whether it asks for a judgement."""
        self._well(self.acts("announce", "--run-id", str(run), *more, repo=self.desk()))
        return self.outputs()["judge"] == "true"

    def evaluated(self, run: int, repo: Path | None = None) -> Handed | None:
        """What the job evaluate handed over; None: nothing."""
        repo = repo or self.desk()
        out = repo.with_name(f"{repo.name}-outbox")
        arguments = ("--run-id", str(run), "--out", str(out), "--report", str(repo.with_name(f"{repo.name}-report")))
        self._well(self.acts("evaluate", *arguments, repo=repo, environment=self.judging))
        digest = self.outputs()["digest"]
        if digest:
            self.studio.warm = self.studio.warm or _moved(repo / ".acts", self.studio.folder / "warm")
        return Handed(out, digest, run) if digest else None

    def judged(self, run: int) -> Handed:
        """The same, where something has to be handed over."""
        found = self.evaluated(run)
        assert found is not None
        return found

    def publish(self, handed: Handed) -> str:
        """The job publish went well; what it said."""
        return self._well(self.published(handed))

    def published(self, handed: Handed) -> tuple[int, str]:
        """How the job publish ended, and what it said."""
        arguments = ("--folder", str(handed.folder), "--digest", handed.digest, "--run-id", str(handed.run))
        return self.acts("publish", *arguments, repo=self.desk())

    def deployed(self, commit: str, *more: str) -> tuple[int, str]:
        """How the job deploy ended, and what it said."""
        arguments = ("deploy", "--commit", commit, "--app", str(self.app), "--wait", "0", *more)
        token = self.double.actions_token(NAME, DEPLOY_RIGHTS)
        return self.acts(*arguments, repo=self.desk(), token=token)

    def passed(self, branch: str = "better", spec: str = GOOD) -> Pull:
        """A pull request of a branch, judged and promoted; with the head that has the lock."""
        pull = self.pushed(branch, {SPEC: spec})
        self.publish(self.judged(self.trained(pull, spec)))
        return Pull(pull.number, self.head(pull.number))

    def crowned(self, crown: Crown, branch: str, method: str = "merge") -> str:
        """A champion's pull request, judged and merged as if that had been today; the merge."""
        pull = self.pushed(branch, crown.files)
        body = {"name": CHECK, "head_sha": pull.head, "conclusion": "success", "external_id": crown.outbox}
        self.ask("check-runs", body)
        return self.double.merge(NAME, pull.number, method)

    # What there is

    @property
    def storage(self) -> Path:
        return self.folder / "storage"

    @property
    def store(self) -> ArtifactStore:
        """The shared one."""
        return ArtifactStore(str(self.storage / "store"))

    @property
    def judging(self) -> dict[str, str]:
        """The environment of the job evaluate: a store of its own in front of the shared one."""
        return {"ACTS_STORE": "", "ACTS_SHARED_STORE": str(self.storage / "store")}

    def variables(self, token: str = "") -> dict[str, str]:
        """A job's environment, by default with the App's token."""
        places = {f"ACTS_{name}": str(self.storage / name.lower()) for name in ("STORE", "LEDGER", "SERVING")}
        return places | {
            "GITHUB_TOKEN": token or self.double.installation_token(GATE, NAME),
            "GITHUB_REPOSITORY": NAME,
            "GITHUB_API_URL": self.double.url,
            "GITHUB_OUTPUT": str(self.folder / "outputs"),
        }

    def outputs(self) -> dict[str, str]:
        """Outputs of the steps so far; the last of a name."""
        lines = (self.folder / "outputs").read_text().splitlines()
        return dict(line.partition("=")[::2] for line in lines)

    def rows(self, ledger: str) -> list[dict[str, Any]]:
        """A ledger's rows."""
        return Ledger(str(self.storage / "ledger"), ledger).rows()

    def ask(self, path: str, body: Any = None, token: str = "") -> Any:
        """What the API answers the App, or whose ``token`` it is; POST where there is a body."""
        import requests

        with requests.request(
            "GET" if body is None else "POST",
            f"{self.double.url}/repos/{NAME}/{path}",
            json=body,
            headers={"Authorization": f"Bearer {token or self.double.installation_token(GATE, NAME)}"},
            timeout=30,
        ) as answer:
            answer.raise_for_status()
            return answer.json()

    def head(self, number: int) -> str:
        """The pull request's head as it is now."""
        return str(self.double.pull(NAME, number)["head"]["sha"])

    def comment(self, number: int) -> str:
        """The App's one comment."""
        (text,) = self.comments(number)
        return text

    def comments(self, number: int) -> list[str]:
        """The App's comments."""
        return [text for login, text in self.double.comments(NAME, number) if login == f"{GATE}[bot]"]

    def checks(self, head: str) -> list[dict[str, Any]]:
        """The App's checks of a commit."""
        found = self.ask(f"commits/{head}/check-runs?filter=all&per_page=100")["check_runs"]
        return [check for check in found if check["app"]["id"] == self.app]

    def check(self, head: str) -> dict[str, Any]:
        """The App's one check of a commit."""
        (own,) = self.checks(head)
        return own

    def labels(self, number: int) -> set[str]:
        return {label["name"] for label in self.double.pull(NAME, number)["labels"]}

    def file(self, commit: str, path: str, name: str = NAME) -> str:
        """A file's text at a commit; empty where there is none."""
        command = ["git", "-C", str(self.double.path(name)), "show", f"{commit}:{path}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout if done.returncode == 0 else ""

    # Inside

    def _number(self, branch: str, by: str) -> int:
        owner, _, name = branch.rpartition(":")
        root = self.double.world.repository(NAME)
        for number, pull in root.pulls.items():
            if (pull.head_branch, pull.state, pull.head_repository is root) == (name, "open", not owner):
                return int(number)
        return self.double.open_pull(NAME, branch, by=by)

    @contextmanager
    def _environment(self, token: str, more: Mapping[str, str]) -> Any:
        before = dict(os.environ)
        for name in [name for name in os.environ if name.startswith(("ACTS_", "GITHUB_"))]:
            del os.environ[name]
        os.environ.update({**self.variables(token), **more})
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)

    @staticmethod
    def _well(done: tuple[int, str]) -> str:
        code, said = done
        assert code == 0, said
        return said


def repacked(handed: Handed, folder: Path, alter: Callable[[Outbox], Outbox]) -> Handed:
    """The outbox with another document, and the digest that belongs to it."""
    from dagster_project.domain.base import digest_of_bytes

    shutil.copytree(handed.folder, folder)
    data = alter(handed.outbox).to_json().encode()
    (folder / "outbox.json").write_bytes(data)
    return Handed(folder, digest_of_bytes(data), handed.run)


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip of files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return buffer.getvalue()


def _results(repo: Path) -> Iterator[tuple[str, BuildResult]]:
    _, head = open_head(repo)
    for dataset in head.contracts:
        snapshot = snapshot_of(dataset, head, Workspace(repo=repo))
        yield (
            artifact_name("dataset", dataset),
            BuildResult(kind="dataset", name=dataset, outcome="built", snapshot=snapshot),
        )
    latest = ArtifactStore(Workspace(repo=repo).store).get_ref(f"latest/model/{MODEL}")
    yield BUILT, BuildResult.model_validate(latest)


def _exported(repo: Path, name: str, result: BuildResult) -> dict[str, bytes]:
    folder = repo / name
    export_build(folder, result, ArtifactStore(Workspace(repo=repo).store))
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def _moved(source: Path, target: Path) -> Path:
    """A copy of a job's ``.acts``, whose documents name places in it."""
    shutil.copytree(source, target, symlinks=True)
    for place in target.rglob("*.json"):
        text = place.read_text()
        if str(source) in text:
            place.write_text(text.replace(str(source), str(target)))
    return target


__all__ = ["GOOD", "MODEL", "SPEC", "WEAK", "Handed", "Pull", "Scene", "Studio", "repacked", "save", "zipped"]
