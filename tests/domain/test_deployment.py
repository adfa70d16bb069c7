"""What servers are told of a champion, and what they say of themselves."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from dagster_project.domain.base import canonical_json
from dagster_project.domain.bundle import FILES, BundleFile, BundleManifest, Input, Parity
from dagster_project.domain.deployment import DesiredState, ServerReport, desired_model
from dagster_project.domain.lock import ChampionLock, LockedMetric
from tests.trees import TRIPS, edited, repository, tree

DIGEST = "sha256:" + "1" * 64
NOW = datetime(2024, 5, 1, tzinfo=UTC)
LOCK = ChampionLock(
    model="tardy", onnx=DIGEST, bundle=DIGEST, snapshot=DIGEST, spec=DIGEST, code=DIGEST, environment=DIGEST,
    build_key=DIGEST, commit=None, family="ridge", parameters={"alpha": 1.0, "solver": None, "fit": True},
    metrics={"roc_auc": LockedMetric(value=0.71, low=0.7, high=0.72)}, verdict=DIGEST, replaces=None,
)  # fmt: skip
MANIFEST = BundleManifest(
    model="tardy", task="binary", target="late", family="ridge", parameters={}, features=("miles", "carrier"),
    inputs=(Input(name="miles", dtype="float32"), Input(name="carrier", dtype="string")), outputs=("label",),
    dataset="trips", contract_version="1.2.0", snapshot=DIGEST, build_key=DIGEST, training_digest=DIGEST,
    code_digest=DIGEST, environment_digest=DIGEST, seed=7, rows={"train": 10}, claims={},
    parity=Parity(maximum_difference=0.0, flipped_labels=0, rows=1, planted=()),
    files={name: BundleFile(digest=DIGEST, size=1) for name in FILES},
)  # fmt: skip


def served(trips: str = TRIPS, name: str = "trips"):
    found = repository(tree(trips=trips))
    return desired_model(found.specs["tardy"], found.contracts[name], LOCK, MANIFEST)


def test_inputs_are_the_graph_s_with_what_the_contract_says_of_them() -> None:
    trips = edited(
        TRIPS,
        (
            "      - name: miles\n        logicalType: number\n",
            "      - name: miles\n        description: How far\n        logicalType: number\n        required: true\n"
            "        logicalTypeOptions: {minimum: 0, maximum: 500}\n        classification: restricted\n",
        ),
    )
    miles, carrier = served(trips).inputs
    assert (miles.name, miles.dtype, miles.required, miles.minimum, miles.maximum) == ("miles", "float32", True, 0, 500)
    assert miles.description == "How far" and miles.restricted
    assert (carrier.name, carrier.dtype, carrier.required, carrier.restricted) == ("carrier", "string", False, False)


def test_the_contract_s_id_may_be_sent_along_and_is_hashed_where_it_is_restricted() -> None:
    model = served()
    assert (model.id_column, model.id_restricted) == ("ride", False)
    marked = edited(TRIPS, ("        unique: true\n", "        unique: true\n        classification: restricted\n"))
    assert served(marked).id_restricted


def test_the_contract_s_event_time_may_be_sent_along_unless_it_is_restricted() -> None:
    assert served().time_column == "started"
    started = "      - name: started\n"
    hidden = served(edited(TRIPS, (started, started + "        classification: restricted\n")))
    assert hidden.time_column is None and "started" in hidden.unread


def test_a_desired_state_survives_its_canonical_bytes() -> None:
    state = DesiredState(commit="a" * 40, models={"tardy": served()})
    data = canonical_json(state.model_dump(mode="json"))
    assert DesiredState.from_json(data) == state
    assert DesiredState.from_json(data).content_digest() == state.content_digest()


def test_another_lock_is_another_state_even_with_the_same_bytes() -> None:
    model = served()
    again = model.model_copy(update={"lock": LOCK.model_copy(update={"verdict": "sha256:" + "2" * 64})})
    assert model.onnx == again.onnx and model.lock_digest != again.lock_digest
    states = [DesiredState(commit=None, models={"tardy": m}).content_digest() for m in (model, again)]
    assert states[0] != states[1]


@pytest.mark.parametrize(("age", "fresh"), [(0, True), (15, True), (15.1, False), (-15, True), (-16, False)])
def test_a_server_lives_while_its_report_is_young(age: float, fresh: bool) -> None:
    written = NOW - timedelta(seconds=age)
    report = ServerReport(server="a", address="x", started=NOW, written=written, desired=None)
    assert report.is_fresh(NOW) is fresh


def test_times_without_a_zone_are_refused() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        ServerReport(server="a", address="x", started=NOW, written=NOW.replace(tzinfo=None), desired=None)
