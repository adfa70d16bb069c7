"""A champion's model card (Mitchell et al. 2019): what anybody should know of it, in plain words, from facts alone.

The same verdict, bundle, spec and contract give the same text, so that a card can be held to it byte for byte.
"""

from collections.abc import Iterator

from .bundle import BundleManifest
from .card_words import good, hours, readable
from .contract import DataContract, Role
from .facts import Facts
from .lock import ChampionLock
from .metrics import METRICS
from .spec import ModelSpec
from .text import percent
from .verdict import Verdict

LOOKED_AT, SLICES, REMARKS = 8, 20, 10
BAR = 24
"""Characters of the longest bar."""


def card_file(name: str) -> str:
    """Where a model's card lies: beside its lock."""
    return f"models/{name}/card.md"


def card_text(
    lock: ChampionLock, verdict: Verdict, manifest: BundleManifest, spec: ModelSpec, contract: DataContract
) -> str:
    """The card as Markdown, for people who build no models."""
    facts = Facts.model_validate({key: verdict.facts[key] for key in Facts.model_fields if key in verdict.facts})
    parts = (
        ("What it answers", _answers(spec, contract)),
        ("What it is for, and what not", _use(contract, spec)),
        ("What it learned from", _data(manifest, contract, facts)),
        ("How good it is", _quality(verdict, lock)),
        ("For whom it is better or worse", _slices(verdict)),
        ("What it looks at", _importances(facts, spec, contract)),
        ("How sure it is", _sureness(verdict)),
        ("What its tests remarked", _remarks(verdict)),
        ("Who answers for it", _owners(lock, spec)),
    )
    head = f"# Model card: {spec.name}\n\n{readable(spec.description)}\n"
    body = "".join(f"\n## {title}\n\n" + "\n".join(lines) + "\n" for title, part in parts if (lines := list(part)))
    written = f"Written by `acts promote` from verdict `{lock.verdict[:19]}`. It is never edited by hand."
    return f"{head}{body}\n---\n{written}\n"


def _answers(spec: ModelSpec, contract: DataContract) -> Iterator[str]:
    target = contract.column(spec.target)
    yield f"- **Asked for:** {readable(target.description) or target.name} (`{spec.target}`)"
    if spec.task == "binary":
        positive = "true" if spec.positive is None else f"{spec.positive}".lower()
        yield f"- **Answer:** how probable it is that `{spec.target}` is {positive}, between 0 and 1"
    elif spec.task == "multiclass":
        yield "- **Answer:** one of several classes, with the probability of each"
    else:
        yield "- **Answer:** a number" + (f" in {target.unit}" if target.unit else "")
    when = hours(spec.prediction_time)
    times = contract.with_role(Role.EVENT_TIME)
    if times:
        yield f"- **Asked when:** {when} `{times[0].name}`; what becomes known later is not used"


def _use(contract: DataContract, spec: ModelSpec) -> Iterator[str]:
    for line in contract.description.splitlines():
        if line.strip():
            yield readable(line)
    yield ""
    yield (
        f"Use it for the question above, on rows like those of `{contract.name}`. It describes how things went "
        "together in the past, not what causes what, and it knows nothing of cases unlike those that it learned from."
    )
    restricted = [name for name in spec.features.names if not contract.column(name).public]
    if restricted:
        yield ""
        yield f"It reads data that is not public: {', '.join(restricted)}."


def _data(manifest: BundleManifest, contract: DataContract, facts: Facts) -> Iterator[str]:
    rows = facts.rows or manifest.rows
    counts = ", ".join(f"{count:,} {part} rows" for part, count in sorted(rows.items()))
    yield f"- **Dataset:** `{manifest.dataset}`, contract {manifest.contract_version}" + (
        f": {counts}" if counts else ""
    )
    if contract.derivation:
        yield f"- **Made from:** {', '.join(contract.derivation.inputs)}"
    if contract.label_delay:
        yield f"- **The truth is known** {hours(contract.label_delay)} the event"
    yield "- **Judged on** other rows than it learned from; the last word had rows that were kept aside from everything"


def _quality(verdict: Verdict, lock: ChampionLock) -> Iterator[str]:
    yield "| measure | value | 95 % sure between | in words |"
    yield "|---|---|---|---|"
    for name, metric in sorted(lock.metrics.items()):
        yield f"| {name} | {metric.value:.3f} | {metric.low:.3f} and {metric.high:.3f} | {good(name, metric.value)} |"
    for comparison in verdict.comparisons:
        if comparison.rows == "holdout":
            better = "better" if comparison.gain > 0 else "no better"
            yield ""
            yield f"On rows that were kept aside it is {better} than the champion before ({comparison.metric})."


def _slices(verdict: Verdict) -> Iterator[str]:
    found = [each for each in verdict.measurements if each.slice and each.low is not None]
    if not found:
        return
    metric = found[0].metric
    own = [each for each in found if each.metric == metric]
    worst = sorted(own, key=lambda each: (each.value if METRICS[metric].greater_is_better else -each.value, each.slice))
    yield f"`{metric}` by part of the rows, the worst first; the interval holds for all parts at once."
    yield ""
    yield "| part | value | between | rows |"
    yield "|---|---|---|---|"
    for each in worst[:SLICES]:
        name, between = readable(str(each.slice)), f"{each.low:.3f} and {each.high:.3f}"
        yield f"| {name} | {each.value:.3f} | {between} | {each.count:,} |"
    if len(worst) > SLICES:
        yield ""
        yield f"{len(worst) - SLICES} more parts are better than these."


def _importances(facts: Facts, spec: ModelSpec, contract: DataContract) -> Iterator[str]:
    shares = facts.importances.challenger if facts.importances else {}
    ranked = sorted(
        ((name, share) for name, share in shares.items() if share > 0), key=lambda each: (-each[1], each[0])
    )
    if not ranked:
        return
    yield "How much worse its answers get when one column is mixed up, as shares of the whole:"
    yield ""
    yield "| column | share | | meaning |"
    yield "|---|---|---|---|"
    for name, share in ranked[:LOOKED_AT]:
        bar = "█" * max(1, round(BAR * share / ranked[0][1]))
        meaning = readable(contract.column(name).description) if name in contract.column_names else ""
        yield f"| `{name}` | {percent(share)} | {bar} | {meaning} |"
    unused = [name for name in spec.features.names if shares.get(name, 0.0) <= 0]
    if unused:
        yield ""
        yield f"It makes no use of {', '.join(f'`{name}`' for name in unused)}."


def _sureness(verdict: Verdict) -> Iterator[str]:
    gap = next((each for each in verdict.measurements if each.metric == "calibration_error"), None)
    if gap is not None:
        yield (
            f"When it says 70 %, what it says happens about 70 times in 100: on average it is off by "
            f"{100 * gap.value:.1f} of 100. Near 50 % it does not know."
        )


def _remarks(verdict: Verdict) -> Iterator[str]:
    warned = [
        each for each in verdict.findings if each.outcome.value == "warned" and each.source in ("gate", "deepchecks")
    ]
    if warned:
        yield "Its reviewers let these pass:"
        yield ""
        lines = dict.fromkeys(f"- {readable(each.name)}: {readable(each.summary)}" for each in warned)
        yield from list(lines)[:REMARKS]


def _owners(lock: ChampionLock, spec: ModelSpec) -> Iterator[str]:
    yield f"- **Owners:** {', '.join(spec.owners)}"
    yield f"- **Kind of model:** {lock.family.replace('_', ' ')}, file `{lock.onnx[:19]}`"
    yield f"- **Replaces:** `{lock.replaces[:19]}`" if lock.replaces else "- **Replaces:** nothing, it is the first"
    yield "- **To go back:** `git revert` the commit that brought it"
