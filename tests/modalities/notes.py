"""A repository whose rides carry a driver's note: what is in it says whether the ride will be late."""

from pathlib import Path

from tests.ci.workbench import COARSE_SQL, GOOD, settled
from tests.trees import TRIPS, edited

NOTE = """\
      - name: note
        logicalType: string
        logicalTypeOptions: {maxLength: 500}
        customProperties:
          - {property: threeacts.available_at, value: -P1D}
          - {property: threeacts.modality, value: text}
      - name: miles
"""
CONTRACT = edited(TRIPS, ("      - name: miles\n", NOTE))
SQL = edited(
    COARSE_SQL,
    ("delay, 'good'", "(CASE WHEN miles > 15 THEN 'Long road, über die Brücke; ' ELSE 'short hop: ' END)"
     " || (CASE WHEN CAST(substr(ride, 2) AS INTEGER) % 3 = 0 THEN 'it''s\n  raining' ELSE 'SUNNY 25°' END)"
     " || ' no. ' || ride AS note, delay, 'good'"),
)  # fmt: skip
READING = edited(GOOD, ("include: [miles, carrier, seats]", "include: [note, carrier]"))


def notes(folder: Path, spec: str = READING) -> Path:
    """The repository, on main with its contracts and, where ``spec`` is not empty, the model."""
    return settled(folder, spec=spec, sql=SQL, **{"data_contracts/trips.yaml": CONTRACT})
