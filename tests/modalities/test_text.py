"""A model that reads text, from its contract to what it answers over HTTP and what is watched of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ci.demo.server import call, serving
from ci.main import main
from dagster_project.domain.errors import MachineryError
from dagster_project.monitoring.drift_rows import reference_of, window_of
from dagster_project.monitoring.reconcile import reconcile
from dagster_project.quality.properties import property_names
from tests.ci.workbench import MODEL, crown
from tests.modalities.notes import READING, notes
from tests.monitoring.deployed import watching
from tests.trees import edited

DAY = timedelta(days=1)
LATE, EARLY = "Long road, über die Brücke; SUNNY 25° no. 7", "short hop: it's raining"
LOGGED = edited(READING, ("task: binary\n", "task: binary\nserving: {log: {inputs: 1.0, flush: PT0.1S}}\n"))


def asked(texts: list[str]) -> dict[str, Any]:
    shape = [len(texts), 1]
    return {
        "inputs": [
            {"name": "note", "shape": shape, "datatype": "BYTES", "data": texts},
            {"name": "carrier", "shape": shape, "datatype": "BYTES", "data": ["A"] * len(texts)},
        ]
    }


@pytest.mark.slow
def test_a_text_is_judged_served_explained_and_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    repo = crown(notes(tmp_path / "repo", spec=""), LOGGED)
    assert "| `note` | 100.0 % |" in (repo / f"models/{MODEL}/card.md").read_text()
    with serving(repo) as url:
        assert main(["deploy", "--repo", str(repo)]) == 0
        place = f"{url}/v2/models/{MODEL}"
        label, probabilities = call(f"{place}/infer", asked([LATE, EARLY, ""]))["outputs"]
        assert label["data"][:2] == [True, False] and probabilities["data"][1] > 0.7 > 0.3 > probabilities["data"][3]
        many = call(f"{place}/infer", asked([LATE, EARLY] * 600))["outputs"][0]["data"]
        assert many == [True, False] * 600, "more rows than run at once"
        explained = call(f"{place}/explain", asked([LATE]))
        assert explained["parameters"]["columns"] == ["note", "carrier"]
        assert explained["outputs"][0]["data"][0] > 0.1 > abs(explained["outputs"][0]["data"][1])
        words = explained["parameters"]["words"]["note"]
        assert "".join(words["pieces"]) == LATE and words["pieces"][0] == "Long "
        added = [each[0] for each in words["attributions"]]
        assert words["base"][0] + sum(added) == pytest.approx(probabilities["data"][1], abs=1e-6)
        assert max(added) > 0.02
        assert "words" not in call(f"{place}/explain", asked([LATE, EARLY]))["parameters"], "of one row alone"
        with pytest.raises(MachineryError, match="row 0 is longer than 500 characters"):
            call(f"{place}/infer", asked(["x" * 501]))
    assert main(["ingest", "--repo", str(repo)]) == 0
    here, now = watching(repo), datetime.now(UTC)
    assert reconcile(here, now).answers == 1203
    window, reference = window_of(here, now.date() - DAY, now.date() + DAY), reference_of(here)
    assert reference is not None and len(window) == 1203
    assert window.inputs == reference.inputs == ("carrier", *property_names(here.contract.column("note")))
