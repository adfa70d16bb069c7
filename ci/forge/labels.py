"""The labels that say at a glance what a pull request is, and which of them a report asks for. Pure."""

from ci.report.model import Report
from dagster_project.domain.base import StrictModel


class Label(StrictModel):
    """How a label looks: six hexadecimal digits, and at most 100 characters."""

    color: str
    description: str


BREAKING, LOOSENED, PREVIEW, TRAIN = "contract:breaking", "gates:loosened", "verdict:preview", "acts:train"
BETTER, NOT_BETTER = "challenger:better", "challenger:not-better"
LABELS = {
    BREAKING: Label(color="b60205", description="A contract changes so that what reads it may break"),
    LOOSENED: Label(color="d93f0b", description="A gate, split or label is loosened: nothing is promoted here"),
    BETTER: Label(color="0e8a16", description="Every challenger passed every gate and may be promoted"),
    NOT_BETTER: Label(color="fbca04", description="A challenger was judged and did not pass its gates"),
    PREVIEW: Label(color="c5def5", description="Built without a maintainer's approval: a preview verdict"),
    "contract": Label(color="1d76db", description="Asks for a new data contract, or for a change of one"),
    "model": Label(color="1d76db", description="Asks for a new model, or for a change of one"),
    "slow tests": Label(color="ededed", description="Runs the project's slow tests on this pull request"),
    TRAIN: Label(color="5319e7", description="A maintainer approves this commit's build; each new push takes it away"),
}
#: What we add and take away by a report. The others are people's; of these we only ever take the approval away.
OWNED = frozenset({BREAKING, LOOSENED, BETTER, NOT_BETTER, PREVIEW})


def wanted_labels(report: Report) -> frozenset[str]:
    """Those of ``OWNED`` that fit the report."""
    models = [verdict for verdict in report.verdicts if verdict.subject.kind == "model"]
    changes = report.plan.changes if report.plan else ()
    facts = {
        BREAKING: bool(report.plan and report.plan.reached),
        LOOSENED: any(change.loosens for change in changes) or any(v.loosened for v in report.verdicts),
        BETTER: bool(models) and all(verdict.promotable for verdict in models),
        NOT_BETTER: any(verdict.outcome == "failed" for verdict in models),
        PREVIEW: any(verdict.preview for verdict in report.verdicts),
    }
    return frozenset(name for name, holds in facts.items() if holds)
