"""A real server, called over HTTP."""

import gzip
import json
import re
import signal
import struct
import threading
import time
import uuid
from pathlib import Path

import pytest

from dagster_project.storage.store import ArtifactStore
from tests.serving import served
from tests.serving.running import Server, running

ROW = {"miles": [100.0], "seats": [2.0], "carrier": ["UA"]}


def test_a_row_is_answered_with_id_digest_and_version(server: Server) -> None:
    status, answer = server.infer(ROW, id="mine")
    assert status == 200
    outputs = {output["name"]: output for output in answer["outputs"]}
    assert outputs["probabilities"]["data"][1] == pytest.approx(served.late(100, 2, "UA"), abs=1e-6)
    assert outputs["label"]["data"] == [True]
    assert answer["id"] == "mine" and answer["model_name"] == "delays"
    (row,) = answer["parameters"]["row_ids"]
    assert uuid.UUID(row).version == 7
    assert answer["parameters"]["onnx"].removeprefix("sha256:").startswith(answer["model_version"])


def test_columns_that_another_champion_reads_may_be_sent(server: Server) -> None:
    status, answer = server.infer({**ROW, "started": [17.0]})
    assert status == 200
    assert answer["outputs"] == server.infer(ROW)[1]["outputs"]
    status, answer = server.infer({**ROW, "started": [17.0, 18.0]})
    assert status == 400 and "started" in answer["error"]


def test_missing_optional_columns_and_nulls_are_missing(server: Server) -> None:
    status, answer = server.infer({"miles": [100.0, 50.0]})
    assert status == 200
    assert answer["outputs"][1]["data"][1::2] == pytest.approx([served.late(100), served.late(50)], abs=1e-6)
    _, same = server.infer({"miles": [100.0, 50.0], "seats": [None, None], "carrier": [None, ""]})
    assert same["outputs"] == answer["outputs"]


@pytest.mark.parametrize(
    ("rows", "column"),
    [
        ({"seats": [1.0]}, "miles"),
        ({**ROW, "miles": [None]}, "miles"),
        ({**ROW, "miles": [-1.0]}, "miles"),
        ({**ROW, "carrier": ["ZZ"]}, "carrier"),
        ({**ROW, "seats": ["many"]}, "seats"),
        ({**ROW, "seats": [1.0, 2.0]}, "seats"),
        ({**ROW, "wings": [1.0]}, "wings"),
    ],
)
def test_what_the_contract_refuses_is_a_400_that_names_the_column(server: Server, rows: dict, column: str) -> None:
    status, answer = server.infer(rows)
    assert status == 400 and column in answer["error"], answer


def test_gzip_bodies_are_read(server: Server) -> None:
    body = {"inputs": [{"name": "miles", "shape": [1], "datatype": "FP32", "data": [100.0]}]}
    packed = gzip.compress(json.dumps(body).encode())
    status, answer, _ = server.call("/v2/models/delays/infer", packed, {"content-encoding": "gzip"})
    assert status == 200 and answer["outputs"]
    status, answer, _ = server.call("/v2/models/delays/infer", packed[:-9], {"content-encoding": "gzip"})
    assert status == 400 and "error" in answer


def test_health_metadata_and_index(server: Server) -> None:
    assert server.call("/v2/health/live")[:2] == (200, {"live": True})
    assert server.call("/v2/health/ready")[1]["ready"] is True
    assert server.call("/v2")[1]["name"] == "threeacts"
    status, metadata, _ = server.call("/v2/models/delays")
    assert status == 200 and [entry["name"] for entry in metadata["inputs"]] == ["miles", "seats", "carrier"]
    (version,) = metadata["versions"]
    assert server.call(f"/v2/models/delays/versions/{version}/ready")[1] == {"name": "delays", "ready": True}
    assert server.call("/v2/repository/index", b"{}")[1][0]["version"] == version
    assert server.call(f"/v2/models/delays/versions/{version}/infer", {"inputs": []})[0] == 400
    assert server.call("/v2/models/delays/versions/nope/infer", {"inputs": []})[0] == 404


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/nowhere", "GET", 404),
        ("/v2/models/nobody", "GET", 404),
        ("/v2/models/delays/versions/0/ready", "GET", 404),
        ("/v2/models/nobody/infer", "POST", 404),
        ("/v2/models/delays/load", "POST", 404),
        ("/v2/models/delays/a/b/infer", "POST", 404),
        ("/v2/models/delays/infer", "GET", 405),
        ("/metrics", "DELETE", 405),
    ],
)
def test_what_is_not_there_says_so(server: Server, path: str, method: str, status: int) -> None:
    found, answer, _ = server.call(path, b"{}" if method == "POST" else None, method=method)
    assert found == status and answer["error"]


def test_the_page_comes_with_its_policy(server: Server) -> None:
    status, page, headers = server.call("/")
    policy = {name.lower(): value for name, value in headers.items()}["content-security-policy"]
    assert status == 200 and b"<title>" in page and "sha256-" in policy and "unsafe" not in policy


def test_metrics_count_what_was_answered(server: Server) -> None:
    server.infer(ROW)
    text = server.call("/metrics")[1].decode()
    (count,) = re.findall(r'acts_requests_total\{code="200",model="delays"\} (\S+)', text)
    assert float(count) >= 1
    for name in ("acts_request_seconds_bucket", "acts_batch_rows_bucket", "acts_prediction_log_rows", "acts_model{"):
        assert name in text


def test_an_explanation_adds_up(server: Server) -> None:
    body = {"inputs": [{"name": "miles", "shape": [1], "datatype": "FP32", "data": [100.0]}]}
    status, answer, _ = server.call("/v2/models/delays/explain", body)
    assert status == 200
    found = {output["name"]: output["data"] for output in answer["outputs"]}
    assert answer["parameters"]["columns"] == ["miles", "seats", "carrier"]
    assert answer["parameters"]["explained"] == ["true"]
    assert found["base"][0] + sum(found["attributions"]) == pytest.approx(found["answers"][0], abs=1e-6)
    assert found["answers"][0] == pytest.approx(served.late(100), abs=1e-6)


def test_a_body_that_is_too_large_is_refused(server: Server) -> None:
    status, answer, _ = server.call("/v2/models/delays/infer", b"{}", {"content-length": "99999999999"})
    assert status == 413 and "fewer rows" in answer["error"]


def test_many_clients_get_their_own_answers(server: Server) -> None:
    wrong: list[object] = []

    def client(number: int) -> None:
        for i in range(30):
            miles = float(number * 100 + i)
            status, answer = server.infer({"miles": [miles, miles + 1], "ride": [f"{number}-{i}", "x"]})
            seen = answer["outputs"][1]["data"][1::2] if status == 200 else answer
            if (
                status != 200
                or abs(seen[0] - served.late(miles)) > 1e-6
                or abs(seen[1] - served.late(miles + 1)) > 1e-6
            ):
                wrong.append((miles, status, seen))

    threads = [threading.Thread(target=client, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_new_champion_takes_over_and_going_back_does_too(place: tuple[Path, ArtifactStore, str]) -> None:
    folder, store, writes = place
    first = served.desired(store, 3.0)
    second = served.desired(store, 1.0, replaces=first.onnx)
    with running(folder) as server:
        assert server.call("/v2/health/ready")[0] == 503
        for champion in (first, second, first):
            served.publish(store, writes, champion)
            version = champion.onnx.removeprefix("sha256:")[:12]
            server.until(lambda v=version: server.infer(ROW)[1].get("model_version") == v)
        served.publish(store, writes)
        server.until(lambda: server.infer(ROW)[0] == 404)


def test_bytes_that_are_not_the_locks_are_not_served(place: tuple[Path, ArtifactStore, str]) -> None:
    folder, store, writes = place
    good = served.desired(store)
    bad = served.desired(store, 1.0)
    path = Path(store.where(bad.onnx))
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    served.publish(store, writes, good)
    with running(folder) as server:
        server.wait()
        served.publish(store, writes, bad)
        server.until(lambda: server.call("/status")[1]["models"]["delays"]["error"])
        assert "its bytes are not" in server.call("/status")[1]["models"]["delays"]["error"]
        assert server.infer(ROW)[0] == 200


def test_a_bundle_that_answers_otherwise_than_it_says_is_not_served(place: tuple[Path, ArtifactStore, str]) -> None:
    folder, store, writes = place
    data = served.graph(3.0)
    lying = served.champion(
        store, "delays", data, served.keep(store, data, served.reference(1.0), served.INPUTS), served.INPUTS
    )
    served.publish(store, writes, lying)
    with running(folder) as server:
        server.until(lambda: server.call("/status")[1]["models"].get("delays", {}).get("error"))
        assert "the bundle says" in server.call("/status")[1]["models"]["delays"]["error"]
        assert server.call("/v2/health/ready")[0] == 503


def test_open_requests_are_answered_before_it_ends(place: tuple[Path, ArtifactStore, str]) -> None:
    folder, store, writes = place
    served.publish(store, writes, served.desired(store))
    with running(folder) as server:
        server.wait()
        codes: list[int] = []
        thread = threading.Thread(target=lambda: codes.append(server.infer({"miles": [1.0] * 10_000})[0]))
        thread.start()
        time.sleep(0.02)
        server.process.terminate()
        thread.join()
        assert server.process.wait(timeout=20) in (0, -signal.SIGTERM)
        assert codes == [200]
        assert not list((Path(writes) / "servers").iterdir())


def test_binary_tensors_in_and_out(server: Server) -> None:
    carrier = b"UA"
    raw = struct.pack("<f", 100.0) + struct.pack("<I", len(carrier)) + carrier
    header = json.dumps(
        {
            "inputs": [
                {"name": "miles", "shape": [1, 1], "datatype": "FP32", "parameters": {"binary_data_size": 4}},
                {"name": "carrier", "shape": [1, 1], "datatype": "BYTES", "parameters": {"binary_data_size": 6}},
            ],
            "outputs": [{"name": "probabilities", "parameters": {"binary_data": True}}],
        }
    ).encode()
    status, body, headers = server.call(
        "/v2/models/delays/infer", header + raw, {"Inference-Header-Content-Length": str(len(header))}
    )
    assert status == 200
    length = int({name.lower(): value for name, value in headers.items()}["inference-header-content-length"])
    assert struct.unpack("<2f", body[length:])[1] == pytest.approx(served.late(100, 0, "UA"), abs=1e-6)
