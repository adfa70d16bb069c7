"""The same report as text, Markdown, page and JSON."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from ci.main import main
from ci.report.charts import search
from ci.report.files import as_html, as_markdown, as_terminal, load_report, mark_latest, write_report
from ci.report.markdown import LIMIT
from ci.report.model import Report
from ci.report.summary import attention
from dagster_project.domain.bundle import Trial
from dagster_project.domain.errors import MachineryError, Problem, UsageError
from dagster_project.domain.estimates import Estimate
from dagster_project.domain.facts import Cost, Facts, Histogram
from dagster_project.domain.gpu_words import gpu_line
from dagster_project.domain.headroom_report import HeadroomReport
from dagster_project.domain.lease import GpuUse
from dagster_project.domain.verdict import Finding, Outcome

VOID = {"meta", "link", "br", "img", "hr", "input"}
EVIL = (
    "</td></svg></details>```\n<script>alert(1)</script>\"'>"
    "<img src=https://evil.example/x onerror=a> | @octocat \x1b[2J"
)


class Page(HTMLParser):
    """Follows the tags: every one opened is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.errors: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.stack or self.stack.pop() != tag:
            self.errors.append(f"</{tag}> at {self.getpos()}")


def hostile_headroom(report: HeadroomReport) -> HeadroomReport:
    """The evil text wherever the report has text."""
    assert report.curve and report.sources and report.noise
    points = tuple(point.model_copy(update={"absent": EVIL, "metric": None}) for point in report.curve.points[:1])
    source = report.sources.sources[0].model_copy(update={"name": EVIL, "columns": (EVIL,)})
    suspect = report.noise.suspects[0].model_copy(update={"id": {EVIL: EVIL}, "given": EVIL, "expected": EVIL})
    noise = {"suspects": (suspect,), "thresholds": {EVIL: 0.9, "b": 0.1}, "unlisted": ""}
    return report.model_copy(
        update={
            "metric": EVIL,
            "curve": report.curve.model_copy(update={"points": (*points, *report.curve.points[1:])}),
            "sources": report.sources.model_copy(update={"sources": (source,), "untold": (EVIL,)}),
            "noise": report.noise.model_copy(update=noise),
        }
    )


def baseline(answers: str, **changed: Any) -> Trial:
    """A baseline among the trials."""
    whole = {"number": 12, "parameters": {"answers": answers}, "status": "completed", "value": 0.5, "seconds": 0.1}
    return Trial.model_validate({"family": "baseline", **whole, **changed})


def hostile(report: Report) -> Report:
    """The report with the evil text wherever a contributor's text can stand."""
    verdict = report.verdicts[1]
    facts = Facts.model_validate(verdict.facts)
    trials = tuple(
        t.model_copy(update={"family": EVIL, "error": EVIL, "parameters": {EVIL: EVIL}}) for t in facts.trials
    )
    facts = facts.model_copy(
        update={
            "family": EVIL,
            "parameters": {EVIL: EVIL},
            "trials": (*trials, baseline(EVIL)),
            "importances": facts.importances.model_copy(update={"challenger": {EVIL: 0.6, "hour": 0.2}}),
            "roc": tuple(curve.model_copy(update={"name": EVIL}) for curve in facts.roc),
            "headroom": hostile_headroom(facts.headroom),
        }
    )
    finding = Finding(
        name=EVIL, source="deepchecks", outcome=Outcome.FAILED, summary=EVIL, hint=EVIL, file=EVIL, line=1
    )
    judged = verdict.model_copy(
        update={
            "outcome": "failed",
            "reasons": (EVIL,),
            "loosened": (EVIL,),
            "facts": facts.model_dump(mode="json"),
            "findings": (*verdict.findings, finding),
            "measurements": tuple(m.model_copy(update={"slice": EVIL}) for m in verdict.measurements),
        }
    )
    changes = tuple(change.model_copy(update={"what": EVIL, "file": EVIL}) for change in report.plan.changes)
    return report.model_copy(
        update={
            "repository": EVIL,
            "verdicts": (judged,),
            "plan": report.plan.model_copy(update={"changes": changes}),
            "problems": (Problem(file=EVIL, line=1, where=EVIL, message=EVIL, hint=EVIL),),
            "lineage": tuple(node.model_copy(update={"name": EVIL, "reads": ()}) for node in report.lineage[:1]),
            "proposals": tuple(p.model_copy(update={"diff": f"+{EVIL}\n+```", "file": EVIL}) for p in report.proposals),
            "broken": (EVIL,),
        }
    )


def test_markdown_verdict_first(report: Report) -> None:
    text = as_markdown(report)
    assert text.splitlines()[1].startswith("## ✅ Passed: ")
    order = ["What a reviewer should look at", "What changed", "Challenger against champion", "Gates", "Cost and time"]
    places = [text.index(f"# {title}") for title in order]
    assert places == sorted(places)
    assert (
        "| roc_auc | 0.7284 (0.7233 to 0.7335) | 0.6834 (0.6781 to 0.6887) | +0.0450 ± 0.0021 | +0.045 ± 0.003 |"
        in text
    )
    assert "<details><summary>2 passed</summary>" in text
    assert text.count("<details>") == text.count("</details>")
    assert "BoostingOverfit" in text


def test_markdown_tables_are_whole(report: Report) -> None:
    for run in re.findall(r"(?:^\|.*\|\n)+", as_markdown(report), re.M):
        counts = {line.count("|") for line in run.splitlines()}
        assert len(counts) == 1, run


def test_mermaid_blocks_are_sane(report: Report) -> None:
    for text in (as_markdown(report), as_markdown(hostile(report))):
        blocks = re.findall(r"^```mermaid\n(.*?)\n```$", text, re.M | re.S)
        kinds = [re.search(r"^(xychart-beta|pie|flowchart)", body, re.M)[1] for body in blocks]
        assert {"xychart-beta", "pie", "flowchart"} == set(kinds)
        for body in blocks:
            assert_sane(body)


def assert_sane(body: str) -> None:
    assert "nan" not in body.lower().replace("nan in", "")
    plots = re.findall(r"^ +(?:bar|line) \[(.*)\]$", body, re.M)
    assert len({len(plot.split(", ")) for plot in plots}) <= 1
    for value in (value for plot in plots for value in plot.split(", ")):
        float(value)
    for line in body.splitlines()[1:]:
        assert line.count('"') % 2 == 0, line


def test_histogram_of_residuals(report: Report) -> None:
    facts = Facts(task="regression", residuals=Histogram(edges=(-10, 0, 10), counts=(3, 5)))
    judged = report.verdicts[1].model_copy(update={"facts": facts.model_dump(mode="json")})
    changed = report.model_copy(update={"verdicts": (judged,)})
    assert "bar [3, 5]" in as_markdown(changed)
    assert "Residuals, validation rows" in as_html(changed)


def test_a_baseline_lies_below_the_course_of_the_search(report: Report) -> None:
    facts = Facts.model_validate(report.verdicts[1].facts)
    odd = baseline("", number=13, parameters={}, value=None, status="failed", error="accuracy is nan")
    facts = facts.model_copy(update={"trials": (*facts.trials, baseline("the mean"), odd)})
    chart = search(facts)
    assert (
        chart and chart.series[2].name == "baseline: the mean" and chart.series[2].points == ((0.0, 0.5), (11.0, 0.5))
    )
    assert chart.series[0].points[-1] == (11.0, 0.728) and len(chart.series) == 3
    assert chart.note == "1 of 12 trials failed and have no point."
    judged = report.verdicts[1].model_copy(update={"facts": facts.model_dump(mode="json")})
    changed = report.model_copy(update={"verdicts": (judged,)})
    assert "baseline: the mean" in as_html(changed) and "baseline: the mean" in as_markdown(changed)
    assert any("1 of 12 trials failed" in words for words in attention(changed))


def test_long_comment_says_what_it_left_out(report: Report) -> None:
    many = tuple(
        Finding(name=f"check {n}", source="contract", outcome=Outcome.FAILED, summary="ö" * 390) for n in range(900)
    )
    verdicts = tuple(
        report.verdicts[1].model_copy(
            update={"subject": report.verdicts[1].subject.model_copy(update={"name": f"m{n}"}), "findings": many}
        )
        for n in range(30)
    )
    text = as_markdown(report.model_copy(update={"verdicts": verdicts}))
    assert len(text.encode()) <= LIMIT
    assert "Left out, because a comment holds 65,536 characters" in text
    assert "What a reviewer should look at" in text
    assert text.count("<details>") == text.count("</details>")


def test_hostile_text_in_markdown(report: Report) -> None:
    text = as_markdown(hostile(report))
    outside = re.sub(r"^(`{3,})\w*\n.*?^\1$", "", text, flags=re.M | re.S)
    assert "<script" not in outside and "<img" not in outside
    assert not re.search(r"@octocat|://evil", outside)
    assert "\x1b" not in text
    assert outside.count("</details>") == outside.count("<details>")


def test_hostile_text_on_the_terminal(report: Report) -> None:
    assert "\x1b" not in as_terminal(hostile(report))
    coloured = as_terminal(hostile(report), colour=True)
    assert "\x1b[2J" not in coloured
    assert set(re.findall(r"\x1b.?[0-9;]*[A-Za-z]", coloured)) <= {
        f"\x1b[{code}m" for code in ("0", "1", "2", "31", "32", "33", "35", "36", "1;32", "1;31", "1;35")
    }


@pytest.mark.parametrize("change", [lambda report: report, hostile], ids=["usual", "hostile"])
def test_page_is_well_formed_and_alone(report: Report, change) -> None:
    text = as_html(change(report))
    page = Page(text)
    assert (page.errors, page.stack) == ([], [])
    names = {name for name, _ in page.tags}
    assert not names & {"script", "img", "iframe", "link", "object", "embed", "form"}
    assert not re.search(r"https?:|url\(|@import|\x1b", re.sub(r"https&#|https?://evil", "", text))
    for _, attributes in page.tags:
        assert not [key for key in attributes if key.startswith("on")]
        assert set(attributes) & {"href", "src"} <= {"href"}
        assert re.fullmatch(r"[\w./]+", attributes.get("href") or "x")


def test_page_for_everyone(report: Report) -> None:
    page = Page(as_html(report))
    names = [name for name, _ in page.tags]
    assert names.count("h1") == 1
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in page.tags
    assert all("scope" in attributes for name, attributes in page.tags if name == "th")
    drawings = [attributes for name, attributes in page.tags if name == "svg"]
    assert len(drawings) == 8
    assert all(attributes["role"] == "img" and attributes["aria-label"] for attributes in drawings)


def test_links_leave_the_folder_never(report: Report) -> None:
    pages = {"bad": "javascript:alert(1)", "up": "../../secret", "root": "/etc/passwd", "good": "suites/a.html"}
    links = report.links.model_copy(update={"suites": {"model late_departures": pages}})
    page = Page(as_html(report.model_copy(update={"links": links})))
    assert [attributes["href"] for name, attributes in page.tags if name == "a"] == ["suites/a.html"]


def test_terminal_has_colour_only_when_asked(report: Report) -> None:
    assert "\x1b" not in as_terminal(report)
    coloured = as_terminal(report, colour=True)
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == as_terminal(report)


def test_write_load_and_latest(report: Report, tmp_path: Path) -> None:
    page = write_report(report, tmp_path / "one")
    assert page.name == "report.html"
    assert {path.name for path in page.parent.iterdir()} == {"report.html", "report.md", "report.txt", "report.json"}
    mark_latest(tmp_path / "one")
    write_report(report, tmp_path / "two")
    mark_latest(tmp_path / "two")
    assert (tmp_path / "latest").resolve() == (tmp_path / "two").resolve()
    assert load_report(tmp_path / "latest") == report


def test_missing_and_damaged_reports(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="acts pr"):
        load_report(tmp_path)
    (tmp_path / "report.json").write_text('{"schema_version": 2}')
    with pytest.raises(MachineryError, match="not a report of this version"):
        load_report(tmp_path)


@pytest.mark.parametrize(
    ("form", "start"), [("terminal", "Passed"), ("markdown", "<!--"), ("html", "<!DOCTYPE"), ("json", "{")]
)
def test_command_prints_and_exits_as_the_report_ended(
    report: Report,
    tmp_path: Path,
    form: str,
    start: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ACTS_HOME", raising=False)
    folder = tmp_path / ".acts" / "reports" / "one"
    write_report(report, folder)
    mark_latest(folder)
    (folder / "report.md").unlink()
    assert main(["report", "--repo", str(tmp_path), "--format", form]) == 0
    assert capsys.readouterr().out.startswith(start)
    assert (folder / "report.md").exists()
    write_report(report.model_copy(update={"broken": ("the disk is full",)}), folder)
    assert main(["report", "--folder", str(folder), "--json"]) == 3


def test_command_without_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--folder", str(tmp_path)]) == 2
    assert "Run `acts pr` first" in capsys.readouterr().err


def test_text_forms_need_the_core_alone() -> None:
    loaded = "import sys, ci.report.files, ci.commands.report; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"jinja2", "matplotlib", "rich", "polars", "numpy", "dagster", "onnx", "sklearn"}
    assert not heavy & set(modules)


def test_better_data_or_a_better_model(report: Report) -> None:
    closing = "The next gain is probably in the labels, of which about 5.0 % look wrong, then in more rows"
    text, page, comment = as_terminal(report, colour=False), as_html(report), as_markdown(report)
    assert closing in " ".join(text.split())
    assert "Without weather (2 columns) 0.030 (0.023 to 0.037) roc_auc would be lost." in " ".join(text.split())
    assert "A history twice as long (428,224 instead of 214,112 train rows) would gain about 0.006" in comment
    assert "no gate believes it" in comment
    assert 'title "Learning curve, validation rows"' in comment
    for shown in (
        "Learning curve, validation rows",
        "lost without each source, validation rows",
        "20130528-DL181-LGA-0900",
        "not available: The time budget ended before it was fitted",
        "160,000",
    ):
        assert shown in page


def test_what_the_machines_cost_and_did(report: Report) -> None:
    assert report.plan is not None
    step = report.plan.steps[2].model_copy(update={"cost": Estimate(amount=1.2, currency="EUR", builds=3)})
    steps = (*report.plan.steps[:2], step, *report.plan.steps[3:])
    use = GpuUse(name="NVIDIA L4", utilisation=0.5, peak_memory=2**30, memory=2**34, samples_per_second=10.0)
    verdicts = tuple(
        v.model_copy(update={"facts": {**v.facts, "gpu": use.model_dump(mode="json")}}) for v in report.verdicts
    )
    plan = report.plan.model_copy(update={"steps": steps})
    text = as_markdown(report.model_copy(update={"plan": plan, "verdicts": verdicts, "cost": Cost(amount=2.5)}))
    assert "cost, estimated" in text and "1.20 EUR" in text
    assert "0.42 USD (1 GPU node, 9 minutes)" in text and "in all: 2.50 USD" in text
    assert "NVIDIA L4: utilisation 50%, peak memory 1.0 of 16.0 GiB, 10 samples per second, float32" in text
    assert "cost, estimated" not in as_markdown(report)
    part_of_a_card = use.model_copy(update={"utilisation": None})  # NVML says nothing of it
    assert "NVIDIA L4: utilisation unknown" in gpu_line(part_of_a_card)
