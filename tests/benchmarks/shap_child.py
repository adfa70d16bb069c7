"""shap's own values of a forest, in shap's environment: fits the same forest from the same rows, explains, saves."""

import sys
import time
from pathlib import Path

import numpy as np
import shap
from sklearn.ensemble import RandomForestClassifier

if __name__ == "__main__":
    folder, trees, depth = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    rows, labels, background, asked = (np.load(folder / f"{n}.npy") for n in ("rows", "labels", "background", "asked"))
    forest = RandomForestClassifier(trees, max_depth=depth, random_state=0).fit(rows, labels)
    began = time.process_time()
    explainer = shap.TreeExplainer(
        forest, background, feature_perturbation="interventional", model_output="probability"
    )
    values = np.asarray(explainer.shap_values(asked, check_additivity=False))
    np.save(folder / "values.npy", values[..., 1] if values.ndim == 3 else values[1])
    print(time.process_time() - began)
