"""What the forge answers with and is asked for: frozen values, whatever GitHub's JSON looks like."""

from typing import Literal, Self

from pydantic import Field, model_validator

from dagster_project.domain.base import StrictModel

Level = Literal["notice", "warning", "failure"]
Status = Literal["queued", "in_progress", "completed"]
Conclusion = Literal["success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required"]
Permission = Literal["admin", "maintain", "write", "triage", "read", "none"]
DeploymentState = Literal["error", "failure", "inactive", "in_progress", "queued", "pending", "success"]
TEXT = 65_535
TITLE = 255


class PullRequest(StrictModel):
    """A pull request as GitHub knows it at this moment."""

    number: int
    title: str
    author: str = Field(description="login; ghost: the account is gone")
    state: Literal["open", "closed"]
    merged: bool
    draft: bool
    head: str = Field(description="commit")
    head_branch: str
    head_repository: str | None = Field(description="owner/name; None: the fork is gone")
    base: str = Field(description="commit of the base branch as the pull request sees it")
    base_branch: str
    repository: str
    merge_commit: str | None = None
    labels: tuple[str, ...] = ()

    @property
    def is_fork(self) -> bool:
        """Whether its commits come from another repository, or from one that is gone."""
        return self.head_repository != self.repository


class Annotation(StrictModel):
    """A remark on lines of a file, shown in the pull request's diff."""

    path: str
    start_line: int = Field(ge=1)
    end_line: int = Field(ge=1)
    level: Level
    title: str = Field(default="", max_length=TITLE)
    message: str = Field(min_length=1)


class CheckReport(StrictModel):
    """What a check run shall say. ``summary`` and ``text`` are Markdown."""

    name: str
    head: str
    status: Status = "completed"
    conclusion: Conclusion | None = None
    title: str = Field(min_length=1, max_length=TITLE)
    summary: str = Field(max_length=TEXT)
    text: str = Field(default="", max_length=TEXT)
    annotations: tuple[Annotation, ...] = ()
    external_id: str = ""
    details_url: str = ""

    @model_validator(mode="after")
    def _concluded_when_completed(self) -> Self:
        if (self.status == "completed") != (self.conclusion is not None):
            raise ValueError(f"a check that is {self.status} can't have the conclusion {self.conclusion}")
        return self


class Check(StrictModel):
    """A check run that GitHub has. ``app`` is the id of the App that made it: names can be forged, that can't."""

    id: int
    name: str
    head: str
    status: str
    conclusion: str | None
    external_id: str
    app: int | None
    url: str


class Run(StrictModel):
    """A run of a workflow."""

    id: int
    workflow: str = Field(description="its file, such as .github/workflows/pull-request.yml")
    event: str
    head: str
    head_branch: str
    head_repository: str | None = Field(description="owner/name; None: the fork is gone")
    status: str
    conclusion: str | None
    title: str = Field(description="run-name as the workflow's file gives it, else what the event is about")
    attempt: int
    url: str


class Artifact(StrictModel):
    """A zip file that a run left. What is in it is a stranger's."""

    id: int
    name: str
    size: int = Field(description="bytes of the zip file, as GitHub counts them")
    digest: str | None = Field(description="sha256:..., as GitHub saw it when it was uploaded")
    expired: bool
