"""Labels: ours are put and taken, nobody else's."""

import pytest

from ci.forge.labels import LABELS, OWNED
from tests.ci.forge.site import MODELS, Site


def labels(site: Site, number: int) -> set[str]:
    return set(site.gate.pull(number).labels)


def people_put(site: Site, number: int, *names: str) -> None:
    """A maintainer puts labels, with GitHub's own colour where they are new."""
    import requests

    token = site.double.user("octocat")
    url = f"{site.double.url}/repos/{MODELS}/issues/{number}/labels"
    requests.post(url, json={"labels": names}, headers={"Authorization": f"token {token}"}, timeout=10)


def test_the_wanted_are_put_and_the_rest_of_ours_taken(site: Site) -> None:
    number = site.pull()
    people_put(site, number, "bug", "challenger:better", "acts:train")
    site.gate.label(number, OWNED, frozenset({"challenger:not-better", "contract:breaking"}))
    assert labels(site, number) == {"bug", "acts:train", "challenger:not-better", "contract:breaking"}


def test_only_what_is_owned_is_taken(site: Site) -> None:
    number = site.pull()
    people_put(site, number, "gates:loosened", "challenger:better")
    owned = frozenset({"challenger:better", "challenger:not-better"})
    site.gate.label(number, owned, frozenset())
    assert labels(site, number) == {"gates:loosened"}


def test_a_missing_label_is_made_as_the_table_says_and_one_that_is_there_stays(site: Site) -> None:
    number, known = site.pull(), site.double.world.repository(MODELS).labels
    people_put(site, number, "challenger:better")
    site.gate.label(number, OWNED, frozenset({"challenger:better", "contract:breaking"}))
    made = known["contract:breaking"]
    assert (made.color, made.description) == (
        LABELS["contract:breaking"].color,
        LABELS["contract:breaking"].description,
    )
    assert known["challenger:better"].color == "ededed"


def test_nothing_is_written_where_all_is_well(site: Site) -> None:
    number, wanted = site.pull(), frozenset({"challenger:better"})
    site.gate.label(number, OWNED, wanted)
    before = site.writes()
    site.again().label(number, OWNED, wanted)
    site.again().label(number, OWNED - wanted, frozenset())
    assert site.writes() == before


def test_github_tells_no_case_apart(site: Site) -> None:
    number = site.pull()
    people_put(site, number, "Challenger:Better", "Gates:LOOSENED")
    site.gate.label(number, OWNED, frozenset({"challenger:better"}))
    assert labels(site, number) == {"Challenger:Better"}


@pytest.mark.parametrize(
    ("owned", "wanted"),
    [
        (frozenset(LABELS), frozenset({"acts:train"})),
        (frozenset({"bug"}), frozenset()),
        (frozenset({"challenger:better"}), frozenset({"contract:breaking"})),
    ],
)
def test_neither_approval_nor_another_s_label_is_ours(
    site: Site, owned: frozenset[str], wanted: frozenset[str]
) -> None:
    with pytest.raises(ValueError, match="not ours"):
        site.gate.label(1, owned, wanted)


def test_an_approval_is_taken_off_once(site: Site) -> None:
    number = site.pull()
    people_put(site, number, "Acts:Train", "bug")
    assert site.gate.unlabel(number, "acts:train") is True
    assert site.gate.unlabel(number, "acts:train") is False
    assert labels(site, number) == {"bug"}


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize("fault", [{"lost": True}, {"lost": True, "done": False}])
def test_a_lost_answer_ends_the_same(site: Site, method: str, fault: dict[str, object]) -> None:
    number = site.pull()
    people_put(site, number, "challenger:better")
    site.double.faults.next(method, "labels", **fault)  # type: ignore[arg-type]
    site.gate.label(number, OWNED, frozenset({"contract:breaking"}))
    assert labels(site, number) == {"contract:breaking"} and site.double.faults.met
    assert site.double.world.repository(MODELS).labels["contract:breaking"].color == LABELS["contract:breaking"].color


def test_taking_off_survives_a_lost_answer(site: Site) -> None:
    number = site.pull()
    people_put(site, number, "acts:train")
    site.double.faults.next("DELETE", "labels", lost=True)
    assert site.gate.unlabel(number, "acts:train") is True and labels(site, number) == set()


def test_every_label_is_created_once(site: Site) -> None:
    assert set(site.gate.create_labels()) == set(LABELS)
    assert site.again().create_labels() == ()
