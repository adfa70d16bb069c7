"""A repository of scikit-learn's digits as PNG pictures: which digit is it?"""

from pathlib import Path

import polars as pl

from tests.ci.workbench import MODEL, SPEC, settled
from tests.training.wide import pictures
from tests.trees import SPEC as TARDY

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: digits-1
name: digits
version: 1.0.0
status: active
description:
  purpose: Digits that people wrote.
team:
  name: digits-team
servers:
  - server: files
    type: local
    path: landing/digits/*.parquet
    format: parquet
schema:
  - name: digits
    properties:
      - name: digit
        logicalType: string
        required: true
        unique: true
        customProperties:
          - {property: threeacts.role, value: id}
      - name: picture
        logicalType: string
        required: true
        customProperties:
          - {property: threeacts.modality, value: image}
          - {property: threeacts.image, value: {width: 8, height: 8, channels: 1}}
          - {property: threeacts.available_at, value: PT0S}
      - name: written
        logicalType: integer
        required: true
        customProperties:
          - {property: threeacts.role, value: label}
"""
READING = f"""\
schema_version: 1
name: {MODEL}
description: Which digit is it?
owners: [digits-team]
contract:
  name: digits
  version: ">=1.0,<2"
task: multiclass
target: written
features:
  include: [picture]
split:
  by: stratified
  validation: 0.2
  holdout:
    size: 0.2
candidates:
  - family: cnn
    search:
      {{filters: 8, hidden: 32, dropout: 0.1, epochs: 8, batch_size: 32, learning_rate: 0.003, weight_decay: 0.0001}}
search: {{metric: accuracy, trials: 1, seed: 7}}
gates:
  - kind: parity
  - {{kind: champion, metric: accuracy}}
"""


def digits(folder: Path, spec: str = READING) -> Path:
    """The repository, on main with its contract and, where ``spec`` is not empty, the model."""
    repo = settled(folder, spec="", **{"data_contracts/digits.yaml": CONTRACT, SPEC: TARDY})
    landing = repo / "landing/digits"
    landing.mkdir(parents=True)
    table = pictures(rows=1200)
    table.select(
        pl.concat_str(pl.lit("d"), pl.int_range(pl.len()).cast(pl.String)).alias("digit"),
        "picture",
        pl.col("target").alias("written"),
    ).write_parquet(landing / "digits.parquet")
    if spec:
        (repo / SPEC).write_text(spec)
    return repo
