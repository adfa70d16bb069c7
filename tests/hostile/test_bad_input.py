"""Bad input through the command line: a clear message, the right exit code, nothing half-written."""

import shutil
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from ci.main import main
from dagster_project.domain.base import digest_of_bytes
from dagster_project.domain.bundle import MANIFEST, MODEL, BundleFile
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.bundles import fetch_bundle, read_bundle
from dagster_project.storage.store import ArtifactStore
from tests.ci.workbench import COARSE_SQL, GOOD, SPEC, SQL, change, quick_build, settled
from tests.ci.workbench import MODEL as NAME
from tests.trees import RIDES, TRIPS, edited

CONTRACT = "data_contracts/trips.yaml"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join(['*' + old] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
CYCLE = edited(TRIPS, ("    value: [rides]", "    value: [rides, trips]"))


@pytest.fixture(scope="module")
def village(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a model and a bundle."""
    repo = settled(tmp_path_factory.mktemp("village") / "repo", spec=GOOD)
    quick_build(repo)
    return repo


@pytest.fixture
def repo(village: Path, tmp_path: Path) -> Path:
    """The declarations alone: nothing is built here."""
    shutil.copytree(village, tmp_path / "repo", ignore=shutil.ignore_patterns(".acts"))
    return tmp_path / "repo"


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        (CONTRACT, BOMB, "alias"),
        (CONTRACT, "name: [unclosed\n", "YAML"),
        (CONTRACT, TRIPS.replace("required: true", 'required: "yes"', 1), "required"),
        (CONTRACT, CYCLE, "trips"),
        (CONTRACT, TRIPS.replace("value: [rides]", "value: [nowhere]"), "nowhere"),
        (SQL, COARSE_SQL.replace("FROM rides", "FROM read_csv('/etc/passwd')"), "read_csv"),
        (SQL, COARSE_SQL.replace("FROM rides", "FROM 'https://example.com/x.parquet'"), "example.com"),
        (SQL, "COPY rides TO '/tmp/out.csv'", "SELECT"),
        (SPEC, edited(GOOD, ("family: logistic_regression", "family: ridge")), "logistic_regression"),
        (SPEC, edited(GOOD, ("include: [miles, carrier, seats]", "include: [miles, air_time]")), "air_time"),
        (SPEC, edited(GOOD, ("minimum: 0.6}", "minimum: 1.2}")), "1.2"),
        (SPEC, edited(GOOD, ("minimum: 0.6}", "minimum: 0.0}")), "fail"),
        (SPEC, edited(GOOD, ("trials: 1", "trials: many")), "trials"),
        (SPEC, "\x89PNG\r\n\x1a\n", "YAML"),
    ],
    ids=[
        "alias bomb", "unreadable", "wrong type", "cycle", "dangling", "SQL reads a file", "SQL reads the network",
        "SQL writes", "family misfit", "leaking feature", "impossible gate", "gate that can't fail",
        "word for a number", "binary",
    ],
)  # fmt: skip
def test_a_wrong_file_is_named_with_its_line(
    repo: Path, capsys: pytest.CaptureFixture[str], path: str, text: str, said: str
) -> None:
    change(repo, path, text)
    for command in (["check"], ["plan", "--base", "main"], ["pr", "--base", "main"]):
        assert main([*command, "--repo", str(repo)]) == 2
        told = "".join(capsys.readouterr())
        assert Path(path).name.split(".")[0] in told and said in told, told
        assert "Traceback" not in told
    assert not (repo / ".acts" / "warehouse").exists()


def lose(repo: Path) -> None:
    shutil.rmtree(repo / "landing")


def empty(repo: Path) -> None:
    next((repo / "landing" / "rides").iterdir()).write_bytes(b"")


def truncate(repo: Path) -> None:
    file = next((repo / "landing" / "rides").iterdir())
    file.write_bytes(file.read_bytes()[:-9])


def reshape(repo: Path) -> None:
    file = next((repo / "landing" / "rides").iterdir())
    file.write_text(file.read_text().replace("ride,started,miles,delay", "ride,begun,miles,delay"))


def soil(repo: Path) -> None:
    file = next((repo / "landing" / "rides").iterdir())
    file.write_text("ride,started,miles,delay\n" + "r1,2024-01-01 00:00:00,far,late\n" * 20_000)


@pytest.mark.slow
@pytest.mark.parametrize("harm", [lose, empty, truncate, reshape, soil])
def test_a_bad_source_ends_in_words(
    repo: Path, capfd: pytest.CaptureFixture[str], harm: Callable[[Path], None]
) -> None:
    harm(repo)
    assert main(["build", "rides", "--repo", str(repo)]) in (1, 2)
    told = "".join(capfd.readouterr())
    assert "rides" in told and "Traceback" not in told and len(told) < 20_000, told[:3000]
    assert not [path for path in (repo / ".acts" / "warehouse").rglob("*.parquet") if "rows" in path.parts]


def graph(**changes: object) -> onnx.ModelProto:
    """A graph with the village's inputs and outputs that no build made."""
    inputs = [
        helper.make_tensor_value_info("miles", TensorProto.FLOAT, [None, 1]),
        helper.make_tensor_value_info("seats", TensorProto.FLOAT, [None, 1]),
        helper.make_tensor_value_info("carrier", TensorProto.STRING, [None, 1]),
    ]
    outputs = [
        helper.make_tensor_value_info("label", TensorProto.INT64, [None]),
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2]),
    ]
    domain = str(changes.get("domain", ""))
    nodes = [
        helper.make_node(str(changes.get("op", "Identity")), ["miles"], ["probabilities"], domain=domain),
        helper.make_node("Cast", ["seats"], ["label"], to=TensorProto.INT64),
    ]
    tensor = TensorProto(name="weights", data_type=TensorProto.FLOAT, dims=[4])
    if changes.get("external"):
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="/etc/hostname")
    else:
        tensor.float_data.extend([0.0] * 4)
    if changes.get("giant"):
        tensor.dims[:] = [1 << 40]
    weights = [tensor]
    if changes.get("swells"):
        weights.append(helper.make_tensor("side", TensorProto.INT64, [1], [50_000]))
        nodes[0].input[0] = "swollen"
        nodes[:0] = [
            helper.make_node("Mul", ["side", "side"], ["shape"]),
            helper.make_node("ConstantOfShape", ["shape"], ["swollen"]),
        ]
    model = helper.make_model(
        helper.make_graph(nodes, "g", inputs, outputs, weights),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=9,
    )
    if domain:
        model.opset_import.add(domain=domain, version=1)
    return model


def replaced(model: bytes) -> Callable[[Path], None]:
    """The bundle with other bytes and a manifest that agrees with them."""

    def harm(folder: Path) -> None:
        manifest = read_bundle(folder)
        files = {**manifest.files, MODEL: BundleFile(digest=digest_of_bytes(model), size=len(model))}
        (folder / MODEL).write_bytes(model)
        (folder / MANIFEST).write_text(manifest.model_copy(update={"files": files}).to_json())

    return harm


def extra(folder: Path) -> None:
    (folder / "setup.py").write_text("print('mine')")


def link(folder: Path) -> None:
    (folder / MODEL).unlink()
    (folder / MODEL).symlink_to("/etc/hostname")


def climb(folder: Path) -> None:
    text = (folder / MANIFEST).read_text()
    (folder / MANIFEST).write_text(text.replace('"parity.json"', '"../../parity.json"'))


def corrupt(folder: Path) -> None:
    data = bytearray((folder / MODEL).read_bytes())
    data[len(data) // 2] ^= 0xFF
    (folder / MODEL).write_bytes(bytes(data))


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (extra, "don't belong"),
        (link, "link"),
        (climb, "a bundle holds"),
        (corrupt, "not the bytes"),
        (replaced(graph(domain="com.example", op="Backdoor").SerializeToString()), "com.example"),
        (replaced(graph(external=True).SerializeToString()), "external"),
        (replaced(graph(giant=True).SerializeToString()), "weights"),
        (replaced(graph(swells=True).SerializeToString()), "4 GiB of memory"),
        (replaced(b"\x00" * 1000), "ONNX"),
    ],
    ids=[
        "extra",
        "link",
        "traversal",
        "corrupted",
        "foreign domain",
        "external data",
        "giant tensor",
        "giant running",
        "no ONNX",
    ],
)
def test_a_bad_bundle_is_refused(
    village: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], harm: Callable[[Path], None], said: str
) -> None:
    store = ArtifactStore(Workspace(repo=village).store)
    bundle = store.get_ref(f"latest/model/{NAME}")
    assert bundle is not None
    fetch_bundle(store, str(bundle["bundle"]), tmp_path / "bundle")
    harm(tmp_path / "bundle")
    before = len(store.refs("builds"))
    assert main(["judge", NAME, "--bundle", str(tmp_path / "bundle"), "--base", "main", "--repo", str(village)]) == 1
    told = " ".join("".join(capfd.readouterr()).split())
    assert said in told and "Traceback" not in told, told
    assert len(store.refs("builds")) == before


def test_sources_are_contracts_of_the_village() -> None:
    """The texts that the harms replace are in the fixture."""
    assert "landing/rides/*.csv" in RIDES and "value: [rides]" in TRIPS
