"""``acts judge MODEL``: a bundle, read as data, held against the base branch's rules."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from ci.judging import evidence
from ci.judging.budget import permission
from ci.judging.diagnosis import Diagnosis, diagnose, diagnosis_key, kept_report
from ci.judging.errors import worst_errors
from ci.judging.interference import Interference, Probe
from ci.judging.models import JudgedModel, load_judged
from ci.judging.rows import JudgedRows, Sources, judged_rows, leak_findings, seen_parts
from ci.judging.snapshots import current_sources
from dagster_project.domain.bundle import Provenance
from dagster_project.domain.decide import Case, asks_holdout, decide
from dagster_project.domain.facts import Importances
from dagster_project.domain.gates import DeepchecksGate
from dagster_project.domain.holdout import LEVEL, Permission
from dagster_project.domain.metrics import REPORTED
from dagster_project.domain.repository import Repository
from dagster_project.domain.spec_changes import compare_floors, compare_specs
from dagster_project.domain.trust import JudgingRules, judging_rules, trust_findings
from dagster_project.domain.verdict import Comparison, Finding, Measurement, Measurements, Subject, Verdict
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.store import ArtifactStore

if TYPE_CHECKING:
    from dagster_project.inference.predictor import Answers

T = TypeVar("T")


@dataclass(frozen=True)
class Commits:
    """Which commits the base and the head are; None for a working folder that has none."""

    base: str | None = None
    head: str | None = None


@dataclass
class Judgement:
    """One model's judgement: what is read once and used by several steps."""

    name: str
    rules: JudgingRules
    base: Repository
    head: Repository
    sources: Sources
    store: ArtifactStore
    workspace: Workspace
    challenger: JudgedModel
    champion: JudgedModel | None
    provenance: Provenance | None
    commits: Commits
    timings: dict[str, float] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    leaks: Interference = field(default_factory=Interference)

    def run(self) -> Verdict:
        """Validation gates, then the holdout where they pass, then the verdict."""
        verdict = self._decided()
        return verdict.model_copy(update={"facts": {**verdict.facts, "timings": self.timings}})

    def _decided(self) -> Verdict:
        rows = self._timed("rows", lambda: judged_rows(self.rules, self.sources))
        self.leaks = self._leaks(rows)
        answers = self._answers(rows["validation"])
        diagnosis = self._timed("deepchecks", lambda: self._diagnosis(rows, answers["challenger"]))
        self.pages = diagnosis.pages
        found = self._timed("measure", lambda: self._on_validation(rows, answers, diagnosis))
        case = self._case(rows, answers, diagnosis)
        if not asks_holdout(self.rules.gates, found, case):
            return decide(self.rules.gates, found, case)
        permission, asked = self._timed("holdout", lambda: self._on_holdout(case, rows["holdout"]))
        values, comparisons = (*found.values, *asked.values), (*found.comparisons, *asked.comparisons)
        both = Measurements(values=values, comparisons=comparisons, checks=found.checks)
        return decide(self.rules.gates, both, case, permission)

    def _leaks(self, rows: dict[str, JudgedRows]) -> Interference:
        """What of the holdout the build could see: by ids, and by what changes when the holdout is taken away."""
        spec, holdout = self.head.specs[self.name], rows["holdout"].champion
        seen = seen_parts(spec, self.rules, self.sources, rows)
        found = leak_findings(self.sources, seen, holdout)
        probe = Probe(self.base, self.head, spec, self.rules, self.sources, seen, holdout)
        if not probe.is_due:
            return Interference(found)
        tested = self._timed("interference", probe.run)
        return Interference((*found, *tested.findings), tested.untested)

    def _answers(self, rows: JudgedRows) -> dict[str, Answers]:
        answers = {"challenger": self.challenger.answers(rows.challenger)}
        if self.champion:
            answers["champion"] = self.champion.answers(rows.champion)
        return answers

    def _diagnosis(self, rows: dict[str, JudgedRows], validation: Answers) -> Diagnosis:
        """deepchecks and importances, or what was kept of them for the same bytes on the same rows."""
        from dagster_project.inference.frames import tensors
        from dagster_project.inference.importances import permutation_importances
        from dagster_project.quality.answers import Predictions
        from dagster_project.quality.suites import ModelRows, run_model_suite

        spec = self.rules.spec
        gates = [gate for gate in self.rules.gates if isinstance(gate, DeepchecksGate)]
        contract = self.head.contracts[spec.contract.name]

        def run() -> Diagnosis:
            train = self.challenger.answers(rows["train"].challenger)
            columns = tensors(rows["validation"].challenger, self.challenger.manifest.inputs)
            shares = permutation_importances(self.challenger.predictor, columns, rows["validation"].labels)
            judged = ModelRows(
                train=rows["train"].challenger,
                validation=rows["validation"].challenger,
                train_predictions=Predictions(train.labels, train.scores, train.classes),
                validation_predictions=Predictions(validation.labels, validation.scores, validation.classes),
                importances=shares,
                predict=self.challenger.answers,
            )
            features = list(self.challenger.manifest.features)
            report = run_model_suite(contract, features, spec.target, spec.task, judged, gate=_widest(gates))
            part = rows["validation"]
            errors = worst_errors(spec, contract, self.challenger, part.challenger, part.labels, validation)
            return kept_report(self.store, report, shares, errors)

        split = spec.split.model_dump(mode="json")
        conditions = [condition.model_dump(mode="json") for condition in contract.conditions]
        public = sorted(column.name for column in contract.columns if column.public)  # others' values are not told
        key = diagnosis_key(
            self.challenger.manifest.onnx_digest,
            self.sources.head.digest,
            self.sources.base.digest,
            split,
            conditions,
            public,
            [gate.model_dump(mode="json") for gate in gates],
        )
        return diagnose(self.store, key, run)

    def _on_validation(
        self, rows: dict[str, JudgedRows], answers: dict[str, Answers], diagnosis: Diagnosis
    ) -> Measurements:
        part = rows["validation"]
        asked = evidence.metrics_on(self.rules.spec, self.rules.gates, "validation")
        values = evidence.part_measurements(self.rules, answers["challenger"], part.labels, "validation", asked)
        contract = self.sources.base_contract
        values += evidence.detail_measurements(self.rules, self.challenger, answers["challenger"], rows, contract)
        comparisons = self._comparisons(answers, part, "validation", LEVEL)
        checks = (*self._trust(rows), *diagnosis.findings)
        return Measurements(values=tuple(values), comparisons=tuple(comparisons), checks=checks)

    def _trust(self, rows: dict[str, JudgedRows]) -> tuple[Finding, ...]:
        """Who vouches for the bundle, whether it is of this spec and these rows, and what its build could see."""
        spec = self.head.specs[self.name]
        found = trust_findings(
            self.challenger.manifest, self.challenger.bundle, spec, self.sources.head.digest, self.provenance
        )
        for part in rows.values():
            found += part.findings
        return found + self.leaks.findings

    def _on_holdout(self, case: Case, rows: JudgedRows) -> tuple[Permission, Measurements]:
        """Ask the budget first; only what it grants is measured."""
        contract = self.sources.base_contract
        answer = permission(self.workspace, self.store, self.rules.spec, contract, rows.champion, case)
        if not answer.granted:
            return answer, Measurements()
        answers, level = self._answers(rows), answer.use.significance
        values = evidence.holdout_bounds(self.rules, answers["challenger"], rows.labels, level)
        comparisons = self._comparisons(answers, rows, "holdout", level)
        return answer, Measurements(values=tuple(values), comparisons=tuple(comparisons))

    def _comparisons(
        self, answers: dict[str, Answers], rows: JudgedRows, part: str, significance: float
    ) -> list[Comparison]:
        if self.champion is None:
            return []
        return evidence.part_comparisons(
            self.rules, answers["challenger"], answers["champion"], rows.labels, part, significance
        )

    def _case(self, rows: dict[str, JudgedRows], answers: dict[str, Answers], diagnosis: Diagnosis) -> Case:
        champion = self.rules.champion
        importances = Importances(challenger=diagnosis.importances, champion=self._champion_importances(rows))
        own: list[Measurement] = []
        if self.champion:
            shown = REPORTED[self.rules.spec.task]
            own = evidence.part_measurements(
                self.rules, answers["champion"], rows["validation"].labels, "validation", shown
            )
        facts = evidence.model_facts(
            self.rules.spec, self.store, self.challenger, self.champion, answers, rows, importances, own
        ).model_copy(update={"errors": diagnosis.errors})
        return Case(
            subject=Subject(kind="model", name=self.name),
            challenger=self.challenger.bundle,
            challenger_onnx=self.challenger.manifest.onnx_digest,
            champion=champion.onnx if champion else None,
            snapshot=self.sources.head.digest,
            spec=self.rules.spec.content_digest(),
            base=self.commits.base,
            head=self.commits.head,
            preview=self.provenance is None,
            loosened=(*self.rules.loosened, *self.leaks.untested),
            facts=facts.model_dump(mode="json"),
        )

    def _champion_importances(self, rows: dict[str, JudgedRows]) -> dict[str, float]:
        """On the same rows as the challenger's, so that what changed is the model."""
        from dagster_project.inference.frames import tensors
        from dagster_project.inference.importances import permutation_importances

        champion, part = self.champion, rows["validation"]
        if champion is None:
            return {}

        def run() -> Diagnosis:
            columns = tensors(part.champion, champion.manifest.inputs)
            return Diagnosis(importances=permutation_importances(champion.predictor, columns, part.labels))

        split = self.rules.spec.split.model_dump(mode="json")
        snapshots = (self.sources.base.digest, self.sources.head.digest)
        key = diagnosis_key("importances", champion.manifest.onnx_digest, *snapshots, split)
        return diagnose(self.store, key, run).importances

    def _timed(self, stage: str, run: Callable[[], T]) -> T:
        started = time.perf_counter()
        try:
            return run()
        finally:
            self.timings[stage] = round(time.perf_counter() - started, 3)


def judge_model(
    name: str,
    base: Repository,
    head: Repository,
    workspace: Workspace,
    bundle: str,
    commits: Commits,
    provenance: Provenance | None,
) -> tuple[Verdict, dict[str, str]]:
    """The verdict on a stored bundle, and the suites' pages by digest. ``provenance`` None: nobody vouches for it.

    Raises:
        RefusedError: the bundle's bytes are refused before anything could be measured.
        MachineryError: something is missing or broken.
    """
    store = ArtifactStore.of(workspace)
    changes = (*compare_specs(base.specs.get(name), head.specs[name]), *compare_floors(base.floor, head.floor))
    loosened = tuple(f"{change.file}: {change.what}" for change in changes if change.loosens and name in base.specs)
    rules = judging_rules(name, base, head, loosened)
    judgement = Judgement(
        name=name,
        rules=rules,
        base=base,
        head=head,
        sources=current_sources(rules.spec.contract.name, base, head, workspace),
        store=store,
        workspace=workspace,
        challenger=load_judged(store, bundle),
        champion=load_judged(store, rules.champion.bundle) if rules.champion else None,
        provenance=provenance,
        commits=commits,
    )
    return judgement.run(), judgement.pages


def _widest(gates: list[DeepchecksGate]) -> DeepchecksGate | None:
    """One run serves every deepchecks gate: all suites that any asks for, only what all allow is allowed."""
    if not gates:
        return None
    suites = tuple(dict.fromkeys(suite for gate in gates for suite in gate.suites))
    allowed = set(gates[0].allow).intersection(*(gate.allow for gate in gates))
    conditions = {c.content_digest(): c for gate in gates for c in gate.conditions}
    return DeepchecksGate(
        kind="deepchecks", suites=suites, allow=tuple(sorted(allowed)), conditions=tuple(conditions.values())
    )
