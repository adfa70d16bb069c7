"""How far people agree on rows that several of them labelled."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from statistics import NormalDist, fmean

from dagster_project.domain.review import Agreement, Disagreement, PairAgreement

Said = Mapping[str, str | float]
"""What each person says of one row: a class, or a number."""
MOST_LISTED = 100


def agreement(said: Mapping[str, Said]) -> Agreement:
    """Of rows by id, in the order to list them; those that one person labelled say nothing here."""
    several = {row: people for row, people in said.items() if len(people) > 1}
    pairs: dict[tuple[str, str], list[tuple[str | float, str | float]]] = {}
    for people in several.values():
        for first, second in combinations(sorted(people), 2):
            pairs.setdefault((first, second), []).append((people[first], people[second]))
    split = {row: people for row, people in several.items() if len(set(people.values())) > 1}
    both = [a == b for found in pairs.values() for a, b in found]
    return Agreement(
        rows=len(several),
        equal=fmean(both) if both else None,
        pairs=tuple(pair_agreement(people, found) for people, found in sorted(pairs.items())),
        disagreements=tuple(
            Disagreement(row_id=row, said={who: str(value) for who, value in people.items()})
            for row, people in list(split.items())[:MOST_LISTED]
        ),
        open=sum(consensus(people) is None for people in split.values()),
    )


def consensus(said: Said) -> str | float | None:
    """The class that more than half of the people gave, or the median number of at least one; None: there is none.

    Two different numbers have a median too; whether they are near enough is for people to see.
    """
    values = list(said.values())
    if values and all(isinstance(value, float) for value in values):
        ordered = sorted(float(value) for value in values)
        return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    for value, count in Counter(values).most_common(1):
        if 2 * count > len(values):
            return value
    return None


def pair_agreement(
    people: tuple[str, str], said: Sequence[tuple[str | float, str | float]], confidence: float = 0.95
) -> PairAgreement:
    """Of two people over the rows that both labelled."""
    equal = fmean(a == b for a, b in said)
    if all(isinstance(a, float) and isinstance(b, float) for a, b in said):
        difference = fmean(abs(float(a) - float(b)) for a, b in said)
        return PairAgreement(people=people, rows=len(said), equal=equal, difference=difference)
    found = cohen_kappa([(str(a), str(b)) for a, b in said])
    if found is None:
        return PairAgreement(people=people, rows=len(said), equal=equal)
    kappa, error = found
    reach = NormalDist().inv_cdf(0.5 + confidence / 2) * error
    low, high = max(-1.0, kappa - reach), min(1.0, kappa + reach)
    return PairAgreement(people=people, rows=len(said), equal=equal, kappa=kappa, low=low, high=high)


def cohen_kappa(said: Sequence[tuple[str, str]]) -> tuple[float, float] | None:
    """Cohen's kappa (1960) and its large-sample standard error (Fleiss, Cohen and Everitt 1969, equation 13).

    None where both always give the same one class: then chance explains everything.
    """
    rows = len(said)
    cells = {cell: count / rows for cell, count in Counter(said).items()}
    classes = {name for cell in cells for name in cell}
    first = {name: sum(part for (a, _), part in cells.items() if a == name) for name in classes}
    second = {name: sum(part for (_, b), part in cells.items() if b == name) for name in classes}
    observed = sum(cells.get((name, name), 0.0) for name in classes)
    chance = sum(first[name] * second[name] for name in classes)
    if math.isclose(chance, 1.0):
        return None
    kappa = (observed - chance) / (1 - chance)
    same = sum(cells.get((name, name), 0.0) * (1 - (first[name] + second[name]) * (1 - kappa)) ** 2 for name in classes)
    other = sum(part * (second[a] + first[b]) ** 2 for (a, b), part in cells.items() if a != b)
    variance = same + (1 - kappa) ** 2 * other - (kappa - chance * (1 - kappa)) ** 2
    return kappa, math.sqrt(max(0.0, variance) / rows) / (1 - chance)
