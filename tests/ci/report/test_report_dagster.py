"""Links to the team's Dagster: in every rendering, only where there is something to see."""

import json
import re

import pytest
from markdown_it import MarkdownIt
from pydantic import ValidationError

from ci.report.files import as_html, as_markdown, as_terminal
from ci.report.model import InDagster, Report
from dagster_project.domain.build import BuildResult

UI = "https://dagster.example.com/team"
RUN = "6f1c9b1e-58a0-4a57-9d1c-4a5b8d6f8f11"
BUILT = BuildResult(kind="model", name="late_departures", outcome="built", run=RUN, shared=True)


def linked(report: Report, *builds: BuildResult, ui: str | None = UI) -> Report:
    """The report with its links, as ``acts pr`` makes it."""
    links = report.links.model_copy(update={"dagster": InDagster.of(ui, builds, report.verdicts)})
    return report.model_copy(update={"links": links})


def hrefs(html: str) -> list[str]:
    return re.findall(r'href="([^"#]+)"', html)


def test_every_rendering_links_to_runs_and_assets(report: Report) -> None:
    shown = linked(report, BUILT)
    pages = [f"{UI}/runs/{RUN}", *(shown.links.dagster.assets.values())]
    assert f"{UI}/assets/late_departures/evaluation" in pages and f"{UI}/assets/departures" in pages
    comment = MarkdownIt("commonmark").render(as_markdown(shown))
    for page in pages:
        assert page in hrefs(as_html(shown)) and page in hrefs(comment)
        assert re.search(rf": {re.escape(page)}$", as_terminal(shown), re.MULTILINE)
    told = json.loads(shown.to_json())["links"]["dagster"]
    assert told["runs"] == {"model late_departures": f"{UI}/runs/{RUN}"}
    assert told["assets"]["dataset departures"] == f"{UI}/assets/departures"
    assert Report.from_json(shown.to_json()) == shown


def test_no_link_without_the_setting(report: Report) -> None:
    shown = linked(report, BUILT, ui=None)
    assert shown.links.dagster == InDagster()
    assert "In Dagster" not in as_markdown(shown) + as_html(shown) + as_terminal(shown)


@pytest.mark.parametrize("changed", [{"shared": False}, {"run": None}])
def test_a_run_that_is_not_there_is_not_linked(report: Report, changed: dict[str, object]) -> None:
    """A fork's run stays on the machine that built it."""
    shown = linked(report, BUILT.model_copy(update=changed))
    assert not shown.links.dagster.runs and shown.links.dagster.assets


def test_a_forged_run_stays_a_part_of_the_address(report: Report) -> None:
    forged = BUILT.model_copy(update={"run": '../../x)](https://evil.example) "><script>'})
    shown = linked(report, forged)
    (page,) = shown.links.dagster.runs.values()
    assert page.startswith(f"{UI}/runs/..%2F..%2Fx%29%5D%28https") and page in hrefs(as_html(shown))
    assert not [link for link in hrefs(MarkdownIt("commonmark").render(as_markdown(shown))) if "//evil" in link]


@pytest.mark.parametrize("page", ["javascript:alert(1)", "https://a b", "https://x/)[y](z", 'https://x/"'])
def test_only_plain_addresses_are_pages(page: str) -> None:
    with pytest.raises(ValidationError):
        InDagster(runs={"model m": page})
