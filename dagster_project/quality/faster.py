"""Checks of deepchecks with the same results in less time. Sample sizes are never touched.

Two of them look at each distinct row in Python: here the few rows that can matter are found first, and the library's
own logic runs on these. The third grows hundreds of trees: see ``segments``.
"""

import copy
from functools import cache
from typing import Any

from dagster_project.quality.library import load


@cache
def faster_checks() -> dict[str, type]:
    """By the name of the check that each one stands for."""
    checks = load().checks

    class ConflictingLabels(checks.ConflictingLabels):  # type: ignore[misc,name-defined]
        __doc__ = checks.ConflictingLabels.__doc__

        def run_logic(self, context: Any, dataset_kind: Any) -> Any:
            context.assert_classification_task()
            dataset = context.get_data_by_kind(dataset_kind)
            sample = dataset.sample(self.n_samples, random_state=self.random_state)
            kept = _rows_in_conflict(sample.select(self.columns, self.ignore_columns, keep_label=True))
            if not kept.any():
                return _result({"percent_of_conflicting_samples": 0.0, "samples_indices": []})
            few = sample.copy(sample.data[kept])
            result = super().run_logic(_narrowed(context, few, few), dataset_kind)
            result.value["percent_of_conflicting_samples"] *= len(few) / len(sample)
            return result

    class TrainTestSamplesMix(checks.TrainTestSamplesMix):  # type: ignore[misc,name-defined]
        __doc__ = checks.TrainTestSamplesMix.__doc__

        def run_logic(self, context: Any) -> Any:
            test = context.test.sample(self.n_samples, random_state=self.random_state)
            train = context.train.sample(self.n_samples, random_state=self.random_state)
            test.assert_features()
            in_train, in_test = _rows_in_both(train, test)
            if not in_test.any():
                return _result({"ratio": 0.0, "data": test.data.iloc[:0]}, header="Train Test Samples Mix")
            few = test.copy(test.data[in_test])
            result = super().run_logic(_narrowed(context, train.copy(train.data[in_train]), few))
            mixed = round(result.value["ratio"] * len(few))
            result.value["ratio"] = mixed / len(test)
            if result.display:
                result.display[0] = f"{mixed} of {len(test)} test rows appear in train"
            return result

    class WeakSegmentsPerformance(checks.WeakSegmentsPerformance):  # type: ignore[misc,name-defined]
        __doc__ = checks.WeakSegmentsPerformance.__doc__

        _search: Any = None

        def _weak_segments_search(self, *args: Any, **kwargs: Any) -> Any:
            self._search = None
            return super()._weak_segments_search(*args, **kwargs)

        def _find_weak_segment(
            self,
            data: Any,
            features_for_segment: Any,
            score_per_sample: Any,
            label_col: Any = None,
            dummy_model: Any = None,
            scorer: Any = None,
        ) -> Any:
            if self._search is None:
                self._search = _search_of(self, data, score_per_sample, label_col, dummy_model, scorer)
            found = self._search.worst(tuple(features_for_segment), self.segment_minimum_size_ratio)
            return (found[0], _filter(found[1], features_for_segment)) if found else (None, None)

    return {cls.__name__: cls for cls in (ConflictingLabels, TrainTestSamplesMix, WeakSegmentsPerformance)}


def _result(value: Any, header: str | None = None) -> Any:
    from deepchecks.core import CheckResult

    return CheckResult(value, header=header)


def _narrowed(context: Any, train: Any, test: Any) -> Any:
    """The same context over fewer rows."""
    narrow = copy.copy(context)
    narrow._train, narrow._test = train, test
    return narrow


def _rows_in_conflict(dataset: Any) -> Any:
    """Marks rows that share every feature with a row of another label. A missing label differs from any."""
    frame = dataset.data
    group = frame[dataset.features].groupby(dataset.features, dropna=False, sort=False, observed=True).ngroup()
    labels = frame[dataset.label_name]
    by_group = labels.groupby(group, sort=False)
    unclear = labels.isna().groupby(group, sort=False).transform("any") & (by_group.transform("size") > 1)
    return ((by_group.transform("nunique") > 1) | unclear).to_numpy()


def _rows_in_both(train: Any, test: Any) -> tuple[Any, Any]:
    """Marks rows of train, and of test, whose features and label all appear in the other."""
    import pandas as pd

    columns = test.features + ([test.label_name] if test.has_label() else [])
    both = pd.concat([train.data[columns], test.data[columns]], ignore_index=True)
    group = both.groupby(columns, dropna=False, sort=False, observed=True).ngroup().to_numpy()
    of_train, of_test = group[: len(train.data)], group[len(train.data) :]
    return pd.Series(of_train).isin(of_test).to_numpy(), pd.Series(of_test).isin(of_train).to_numpy()


def _search_of(check: Any, data: Any, errors: Any, labels: Any, model: Any, scorer: Any) -> Any:
    import numpy as np

    from dagster_project.quality.segments import SegmentSearch

    values = errors.to_numpy(dtype=np.float64)
    if model is None or scorer is None or labels is None:
        return SegmentSearch(data, values, lambda rows: float(errors.iloc[rows].mean()), check.random_state)
    if scorer.name == "Accuracy":
        right = np.asarray(model.predict(data)) == labels.to_numpy()
        return SegmentSearch(data, values, lambda rows: float(right[rows].mean()), check.random_state)

    def score(rows: Any) -> float:
        return float(scorer.run_on_data_and_label(model, data.iloc[rows], labels.iloc[rows]))

    return SegmentSearch(data, values, score, check.random_state)


def _filter(path: Any, names: Any) -> Any:
    from deepchecks.utils.performance.partition import DeepchecksBaseFilter

    found = DeepchecksBaseFilter()
    for place, threshold, above in path:
        found.add_filter(names[place], threshold, greater_then=above)
    return found
