"""Epochs over a file that is larger than memory: Ray Data reads and prepares while the network trains.

An epoch takes the file's row groups in an order of its own and mixes rows that are near each other in a buffer, so that
rows sorted by time don't train in that order. What an epoch sees depends on the file, the buffer, the seed and the
epoch's number alone.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dagster_project.training.batches import Share, tensor_of
from dagster_project.training.device import Device
from dagster_project.training.processes import derived_seed, place_among

if TYPE_CHECKING:
    import numpy as np
    from ray.data import Dataset

    from dagster_project.training.stream import Stream

CHUNK = 8192  # rows that are prepared at once
_IN_FLIGHT = 64 * 1024**2  # bytes of prepared rows on their way, beside the buffer


class StreamedBatches:
    """The loop's ``Batches`` over a :class:`Stream`; ``mixed`` rows are shuffled with each other.

    Of several processes each reads everything and trains on its rows of each batch: the batches are the same for any
    number of processes.
    """

    def __init__(self, stream: "Stream", mixed: int, seed: int, device: Device) -> None:
        self.stream, self.mixed, self.seed, self.device = stream, mixed, seed, device

    def epoch(self, number: int, batch_size: int) -> Iterator[Share]:
        """See the loop: every process gets the same number of shares."""
        rank, processes = place_among()
        seed = derived_seed(self.seed, number)
        rows = prepared_rows(self.stream, seed).iter_batches(
            batch_size=batch_size,
            batch_format="numpy",
            local_shuffle_buffer_size=max(self.mixed, batch_size),
            local_shuffle_seed=seed % 2**32,
        )
        for batch in rows:
            inputs, goals = batch["inputs"], batch["goals"]
            own = slice(rank, None, processes) if len(inputs) > rank else slice(0, 1)
            weight = len(range(rank, len(inputs), processes)) * processes / len(inputs)
            yield Share(self._there(inputs[own]), self._there(goals[own]), weight, len(inputs))

    def _there(self, rows: "np.ndarray") -> Any:
        import numpy as np

        return tensor_of(np.ascontiguousarray(rows)).to(self.device.name)


def prepared_rows(stream: "Stream", seed: int) -> "Dataset":
    """The stream's rows as Ray's dataset of ``inputs`` and ``goals``, row groups in the seed's order.

    Reading and preparing take no slot of Ray's: trials hold them all, and a trial that waited for one would wait for
    ever. They run on the machine of the process that trains.
    """
    import numpy as np
    import ray

    order = np.random.Generator(np.random.PCG64(seed)).permutation(row_groups(stream.uri))
    _here()
    groups = ray.data.from_items([{"group": int(group)} for group in order], override_num_blocks=len(order))
    prepared = groups.map_batches(
        read_prepared,  # type: ignore[arg-type]
        fn_args=(stream,),
        batch_size=1,
        num_cpus=0,
        concurrency=1,
    )
    return prepared


def read_prepared(batch: Any, stream: "Stream") -> "Iterator[dict[str, np.ndarray]]":
    """Prepared rows of one row group that have a label, some at a time. ``batch`` is one item of the dataset."""
    import polars as pl
    import pyarrow.parquet as parquet
    from threadpoolctl import threadpool_limits

    from dagster_project.storage.files import location

    names = [*(item.name for item in stream.inputs), stream.target]
    with threadpool_limits(1), location(stream.uri).open("rb") as file:
        for chunk in parquet.ParquetFile(file).iter_batches(CHUNK, batch["group"].tolist(), names):
            table = pl.DataFrame(pl.from_arrow(chunk)).drop_nulls(stream.target)
            if len(table):
                yield {"inputs": stream.prepare(table), "goals": stream.goals(table[stream.target])}


def row_groups(uri: str) -> int:
    """Of a Parquet file."""
    import pyarrow.parquet as parquet

    from dagster_project.storage.files import location

    with location(uri).open("rb") as file:
        return int(parquet.ParquetFile(file).metadata.num_row_groups)


def _here() -> None:
    """Ray Data as we need it in this process: in order, bounded, on this machine, quiet."""
    import ray
    from ray.data import DataContext, ExecutionResources
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    context = DataContext.get_current()
    context.execution_options.preserve_order = True
    context.execution_options.resource_limits = ExecutionResources.for_limits(object_store_memory=_IN_FLIGHT)
    context.target_max_block_size = _IN_FLIGHT // 8
    context.enable_progress_bars = False
    node = ray.get_runtime_context().get_node_id()
    context.scheduling_strategy = NodeAffinitySchedulingStrategy(node, soft=True)
