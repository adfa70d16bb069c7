"""NannyML's own estimates, in its environment: reference and analysis rows in, a number a metric out."""

import json
import sys

import nannyml
import pandas as pd

METRICS = {"roc_auc": "roc_auc", "accuracy": "accuracy", "f1": "f1", "average_precision": "average_precision"}

if __name__ == "__main__":
    reference, analysis = (pd.read_csv(path) for path in sys.argv[1:3])
    for frame in (reference, analysis):
        frame["said"] = frame["said"].astype(int)
    estimator = nannyml.CBPE(
        y_pred_proba="score",
        y_pred="said",
        y_true="hit",
        metrics=list(METRICS.values()),
        problem_type="classification_binary",
        chunk_size=len(analysis),
    )
    estimator.fit(reference)
    found = estimator.estimate(analysis).filter(period="analysis").to_df()
    print(json.dumps({name: float(found[(theirs, "value")].iloc[0]) for name, theirs in METRICS.items()}))
