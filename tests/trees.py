"""A small repository in memory: one source, one derived dataset, one model, the floor."""

from collections.abc import Mapping

from dagster_project.domain.errors import Problem, UserFileError
from dagster_project.domain.loading import load_repository
from dagster_project.domain.repository import Repository

RIDES = """\
apiVersion: v3.2.0
kind: DataContract
id: rides-1
name: rides
version: 1.0.0
status: active
description:
  purpose: Rides as they are reported.
team:
  name: rides-team
servers:
  - server: files
    type: local
    path: landing/rides/*.csv
    format: csv
schema:
  - name: rides
    properties:
      - name: ride
        logicalType: string
        required: true
        unique: true
        customProperties:
          - {property: threeacts.role, value: id}
      - name: started
        logicalType: timestamp
        required: true
        customProperties:
          - {property: threeacts.role, value: event_time}
      - name: miles
        logicalType: number
      - name: delay
        logicalType: number
"""

TRIPS = """\
apiVersion: v3.2.0
kind: DataContract
id: trips-1
name: trips
version: 1.2.0
status: active
description:
  purpose: One row for each ride.
team:
  name: rides-team
customProperties:
  - property: threeacts.derived_from
    value: [rides]
schema:
  - name: trips
    properties:
      - name: ride
        logicalType: string
        required: true
        unique: true
        customProperties:
          - {property: threeacts.role, value: id}
      - name: started
        logicalType: timestamp
        required: true
        customProperties:
          - {property: threeacts.role, value: event_time}
      - name: late
        logicalType: boolean
        customProperties:
          - {property: threeacts.role, value: label}
      - name: delay
        logicalType: number
        customProperties:
          - {property: threeacts.role, value: label}
      - name: grade
        logicalType: string
        enum: [{value: good}, {value: fair}, {value: bad}]
        customProperties:
          - {property: threeacts.role, value: label}
      - name: miles
        logicalType: number
        customProperties:
          - {property: threeacts.available_at, value: -P1D}
      - name: carrier
        logicalType: string
        customProperties:
          - {property: threeacts.available_at, value: -P1D}
      - name: seats
        logicalType: integer
        customProperties:
          - {property: threeacts.available_at, value: PT0S}
      - name: booked
        logicalType: date
        customProperties:
          - {property: threeacts.available_at, value: -P1D}
      - name: air_time
        logicalType: number
        customProperties:
          - {property: threeacts.available_at, value: PT6H}
      - name: rumour
        logicalType: number
      - name: worth
        logicalType: number
        customProperties:
          - {property: threeacts.role, value: weight}
          - {property: threeacts.available_at, value: -P1D}
      - name: line
        logicalType: string
        customProperties:
          - {property: threeacts.role, value: group}
          - {property: threeacts.available_at, value: -P1D}
"""

TRIPS_SQL = """\
SELECT
    ride, started, delay > 15 AS late, delay, 'good' AS grade, miles, 'A' AS carrier, 3 AS seats,
    CAST(started AS DATE) AS booked, delay AS air_time, delay AS rumour, 1.0 AS worth, 'L1' AS line
FROM rides
"""

SPEC = """\
schema_version: 1
name: tardy
description: Will the ride be late?
owners: [rides-team]
contract:
  name: trips
  version: ">=1.0,<2"
task: binary
target: late
prediction_time: PT0S
features:
  include: [miles, carrier, seats]
split:
  by: time
  validation: P30D
  gap: P1D
  holdout:
    size: P31D
candidates:
  - family: logistic_regression
    search:
      C: {log_uniform: [0.01, 10.0]}
  - family: random_forest
search:
  metric: roc_auc
  trials: 6
  seed: 7
gates:
  - kind: champion
    metric: roc_auc
  - kind: bound
    metric: roc_auc
    minimum: 0.6
  - kind: slices
    metric: roc_auc
    by: [carrier]
    maximum_drop: 0.1
  - kind: deepchecks
    suites: [data_integrity, model_evaluation]
    allow: [WeakSegmentsPerformance]
"""

FLOOR = """\
schema_version: 1
every:
  - kind: size
    maximum_mb: 100
tasks:
  binary:
    - kind: bound
      metric: roc_auc
      rows: validation
      minimum: 0.55
"""

SPEC_FILE = "models/tardy/spec.yaml"
TRIPS_FILE = "data_contracts/trips.yaml"
FILES = {
    "data_contracts/rides.yaml": RIDES,
    TRIPS_FILE: TRIPS,
    "data_contracts/trips.sql": TRIPS_SQL,
    SPEC_FILE: SPEC,
    "models/floor.yaml": FLOOR,
}


class MemoryTree:
    """A ``repository.Tree`` over a mapping."""

    def __init__(self, files: Mapping[str, str | bytes], name: str = "memory") -> None:
        self.files = dict(files)
        self.name = name

    def paths(self, folder: str) -> list[str]:
        return sorted(path for path in self.files if path.startswith(f"{folder}/"))

    def read(self, path: str) -> bytes:
        if path not in self.files:
            raise FileNotFoundError(path)
        content = self.files[path]
        return content.encode() if isinstance(content, str) else content


def edited(text: str, *edits: tuple[str, str]) -> str:
    """``text`` with each first string replaced by the second; each must be there."""
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def tree(**changes: str | bytes | None) -> dict[str, str | bytes]:
    """The files; ``spec``, ``trips``, ``rides``, ``sql``, ``floor`` or others by path replaced; None removes one."""
    names = {
        "spec": SPEC_FILE,
        "trips": TRIPS_FILE,
        "rides": "data_contracts/rides.yaml",
        "sql": "data_contracts/trips.sql",
        "floor": "models/floor.yaml",
    }
    files: dict[str, str | bytes] = dict(FILES)
    for name, content in changes.items():
        if content is None:
            del files[names.get(name, name)]
        else:
            files[names.get(name, name)] = content
    return files


def repository(files: Mapping[str, str | bytes] = FILES) -> Repository:
    """The files, loaded and checked."""
    return load_repository(MemoryTree(files))


def problems(files: Mapping[str, str | bytes]) -> list[Problem]:
    """What is wrong with the files; nothing when they load."""
    try:
        load_repository(MemoryTree(files))
    except UserFileError as error:
        return error.problems
    return []
