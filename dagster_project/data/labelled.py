"""How many rows of a snapshot could teach or judge a model: those that have a label."""

from dagster_project.domain.snapshot import Snapshot


def labelled_rows(snapshot: Snapshot, target: str) -> int:
    """Rows of ``snapshot`` whose ``target`` is known; one column is read."""
    import polars as pl

    from dagster_project.data.datasets import read

    return int(read(snapshot, [target]).select(pl.col(target).is_not_null().sum()).collect().item())
