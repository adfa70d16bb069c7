"""The whole system on one screen: `dg dev` shows it, `acts build` runs it, and the YAML says what is in it.

data_contracts/NAME.yaml  ->  NAME                        a source or a derived dataset, with blocking checks
models/NAME/spec.yaml     ->  NAME/features, NAME/split   what the model reads, train and validation rows
                              NAME/search, NAME/candidate the search on Ray, its best as an ONNX bundle
                              NAME/evaluation             the verdict of `acts judge`
                              NAME/champion, /deployment  what was promoted, what is deployed
"""

from pathlib import Path

import dagster as dg


@dg.definitions
def defs() -> dg.Definitions:
    """Everything in ``defs/``."""
    return dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
