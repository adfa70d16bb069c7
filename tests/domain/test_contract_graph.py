"""What holds between contracts."""

from dagster_project.domain.contract import Column, DataContract, Derivation, Rule
from dagster_project.domain.contract_graph import build_order, check_contracts


def contract(name: str, inputs: tuple[str, ...] = (), to: str | None = None, logical: str = "string") -> DataContract:
    columns = (Column.model_validate({"name": "id", "logical_type": logical}),)
    rules = ()
    if to:
        dataset, _, there = to.partition(".")
        arguments = {"dataset": dataset, "columns": [there]}
        fields = {"name": "fk", "kind": "relationship", "scope": "dataset", "columns": ("id",), "arguments": arguments}
        rules = (Rule.model_validate({**fields, "line": 30}),)
    file = f"data_contracts/{name}.yaml"
    derivation = Derivation(sql="SELECT 1", inputs=inputs, file=f"{name}.sql", line=12) if inputs else None
    values = {"id": name, "name": name, "version": "1.0.0", "status": "active", "file": file}
    return DataContract(columns=columns, rules=rules, derivation=derivation, **values)


def messages(*contracts: DataContract, unreadable: tuple[str, ...] = ()) -> list[tuple[str, int | None, str]]:
    found = check_contracts({c.name: c for c in contracts}, unreadable)
    assert all(problem.hint for problem in found)
    return [(problem.file, problem.line, problem.message) for problem in found]


def test_whole_graphs_are_fine() -> None:
    graph = [contract("a"), contract("b", ("a",)), contract("c", ("a", "b"), to="a.id")]
    assert messages(*graph) == []
    assert build_order({c.name: c for c in reversed(graph)}) == ("a", "b", "c")


def test_a_circle_is_told_once_with_its_way() -> None:
    ((file, line, message),) = messages(contract("a", ("c",)), contract("b", ("a",)), contract("c", ("b",)))
    assert (file, line) == ("data_contracts/a.yaml", 12)
    assert all(name in message for name in ("a →", "b →", "c →"))
    assert messages(contract("a", ("a",)))


def test_inputs_have_contracts() -> None:
    found = check_contracts({c.name: c for c in (contract("flights"), contract("b", ("fligths",)))})
    assert [(p.file, p.line, p.hint) for p in found] == [("data_contracts/b.yaml", 12, "Did you mean `flights`?")]
    assert messages(contract("b", ("broken",)), unreadable=("broken",)) == []


def test_relationships_lead_somewhere() -> None:
    assert "no contract" in messages(contract("a", to="nowhere.id"))[0][2]
    ((file, line, message),) = messages(contract("a", to="b.key"), contract("b"))
    assert (file, line) == ("data_contracts/a.yaml", 30)
    assert "`b.key`" in message
    assert "different types" in messages(contract("a", to="b.id"), contract("b", logical="integer"))[0][2]
    assert messages(contract("a", to="broken.id"), unreadable=("broken",)) == []
