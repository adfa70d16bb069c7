"""The whole of GitHub on one machine: the double's events start the repository's real workflow files under act."""

import json
import shutil
import subprocess
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.ci.workbench import WEAK, change, settled
from tests.github.double import Double
from tests.github.world import Event
from tests.workflows.acting import Acted, act

ROOT = Path(__file__).resolve().parents[2]
NAME, GATE = "acme/rides", "threeacts-gate"
GATE_RIGHTS = {
    "actions": "read", "checks": "write", "contents": "write", "metadata": "read", "pull_requests": "write",
}  # fmt: skip
PULL_REQUEST, VERDICT, TRAIN, DEPLOY, EXPERIMENT = (
    f".github/workflows/{name}.yml" for name in ("pull-request", "verdict", "train", "deploy", "experiment")
)


@dataclass(frozen=True)
class Played:
    """One run of a workflow: which, why, and how it ended."""

    workflow: str
    action: str
    run: int
    acted: Acted


@dataclass
class Stage:
    """A repository with our workflows, the App that judges, and storage that outlives the jobs."""

    folder: Path
    double: Double
    variables: dict[str, str] = field(default_factory=dict)
    played: list[Played] = field(default_factory=list)
    _seen: int = 0

    @classmethod
    def prepared(cls, folder: Path, double: Double, **files: str) -> "Stage":
        """The small repository on main, with a model that is not good yet and no champion."""
        seed = settled(folder / "seed", spec=WEAK, **{".gitignore": ".acts/\n"})
        shutil.copytree(ROOT / ".github", seed / ".github")
        for path, text in files.items():
            change(seed, path, text)
        _git(seed, "add", "--all")
        _git(seed, "commit", "-q", "--amend", "-m", "main")
        double.create_repository(NAME, from_=seed)
        app = double.app(GATE, GATE_RIGHTS)
        double.install(GATE, NAME)
        storage = folder / "storage"
        places = {f"ACTS_{name}": str(storage / name.lower()) for name in ("STORE", "LEDGER", "SERVING")}
        stage = cls(folder, double, {**places, "ACTS_GATE_APP_ID": str(app.id)})
        stage._seen = len(double.webhook_events)
        return stage

    @property
    def gate(self) -> int:
        """Id of the App whose check is a verdict."""
        return int(self.variables["ACTS_GATE_APP_ID"])

    def play(self, most: int = 40) -> list[Played]:
        """Run what the events since the last time start, and what that starts, until all is quiet."""
        before = len(self.played)
        while len(events := self.double.webhook_events) > self._seen:
            event = events[self._seen]
            self._seen += 1
            self._start(event)
            assert len(self.played) - before <= most, "the loop does not come to rest"
        return self.played[before:]

    def dispatch(self, workflow: str, **inputs: str) -> Played:
        """Run a workflow of main by hand, as Actions' button does."""
        owner, name = NAME.split("/")
        repository = {"full_name": NAME, "name": name, "owner": {"login": owner}, "default_branch": "main"}
        payload = {
            "ref": "refs/heads/main", "inputs": inputs, "repository": repository, "sender": {"login": "octocat"},
        }  # fmt: skip
        self._run(workflow, "workflow_dispatch", "", payload, "main")
        return self.played[-1]

    def ask(self, path: str, body: Any = None, token: str = "") -> Any:
        """What the API answers the App, or whose ``token`` it is, below the repository; POST where there is a body."""
        who = token or self.double.installation_token(GATE, NAME)
        request = urllib.request.Request(
            f"{self.double.url}/repos/{NAME}/{path}",
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {who}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def comments(self, number: int) -> list[str]:
        """Bodies of the App's comments on a pull request."""
        return [body for login, body in self.double.comments(NAME, number) if login == f"{GATE}[bot]"]

    def checks(self, head: str) -> list[dict[str, Any]]:
        """Our App's checks of a commit."""
        found = self.ask(f"commits/{head}/check-runs?filter=all&per_page=100")["check_runs"]
        return [check for check in found if check["app"]["id"] == self.gate]

    def labels(self, number: int) -> set[str]:
        """Labels of a pull request."""
        return {label["name"] for label in self.double.pull(NAME, number)["labels"]}

    def _start(self, event: Event) -> None:
        payload, action = event.payload, event.action or ""
        if event.name == "workflow_run":
            if payload["workflow_run"]["path"] in (PULL_REQUEST, TRAIN):
                self._run(VERDICT, "workflow_run", action, payload, "main")
        elif not event.starts_workflows:
            return
        elif event.name == "pull_request" and action in ("opened", "synchronize", "reopened"):
            number = payload["pull_request"]["number"]
            self._run(PULL_REQUEST, "pull_request", action, payload, f"refs/pull/{number}/merge", number)
            self._run(TRAIN, "pull_request_target", action, payload, "main", number)
        elif event.name == "pull_request" and action == "labeled":
            self._run(TRAIN, "pull_request_target", action, payload, "main", payload["pull_request"]["number"])
        elif event.name == "push" and payload["ref"] == "refs/heads/main":
            self._run(DEPLOY, "push", action, payload, "main")

    def _run(
        self, workflow: str, event: str, action: str, payload: dict[str, Any], ref: str, number: int | None = None
    ) -> None:
        clone = self._clone(ref)
        written = yaml.safe_load((clone / workflow).read_text())
        run = self.double.run_began(
            NAME, workflow, event, pull=number, head=self.double.head(NAME), title=_title(workflow, payload)
        )
        rights = _rights(written)
        acted = act(
            clone,
            workflow=workflow,
            event=event,
            payload=payload,
            env={
                "GITHUB_API_URL": self.double.url,
                "GITHUB_RUN_ID": str(run.id),
                "GITHUB_SERVER_URL": self.double.url,
            },
            secrets={
                "GITHUB_TOKEN": self.double.actions_token(NAME, rights),
                **({} if event == "pull_request" else {"ACTS_GATE_APP_KEY": self._key()}),
            },
            variables=self.variables,
            timeout=600,
        )
        shutil.rmtree(clone)
        self.played.append(Played(workflow, action, run.id, acted))
        ended = "skipped" if set(acted.jobs.values()) == {"skipped"} else "failure" if acted.returncode else "success"
        self.double.run_ended(run, ended, acted.jobs)

    def _clone(self, ref: str) -> Path:
        clone = self.folder / f"clone-{len(self.played)}"
        bare = self.double.path(NAME)
        _git(self.folder, "clone", "-q", str(bare), str(clone))
        if ref != "main":
            _git(clone, "fetch", "-q", "origin", ref)
            _git(clone, "checkout", "-q", "--detach", "FETCH_HEAD")
        return clone

    def _key(self) -> str:
        return self.double.world.apps[GATE].private_key.decode()


def _title(workflow: str, payload: dict[str, Any]) -> str:
    """What GitHub makes of ``run-name`` of train.yml; of the others, what the event is about."""
    if workflow != TRAIN:
        return ""
    pull = payload["pull_request"]
    return f"train #{pull['number']} at {pull['head']['sha']}"


def _rights(workflow: dict[str, Any]) -> dict[str, str]:
    """All that any job of the workflow declares: act hands every job the same token."""
    rights = {"metadata": "read"}
    for job in workflow["jobs"].values():
        for name, level in (job.get("permissions") or {}).items():
            if name != "id-token" and rights.get(name.replace("-", "_")) != "write":
                rights[name.replace("-", "_")] = level
    return rights


def _git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()
