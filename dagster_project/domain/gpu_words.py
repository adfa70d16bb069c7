"""What a trial's GPUs did, in words: the same ones in the report and in Dagster."""

from .lease import GpuUse

GIB = 1024**3


def gpu_rows(use: GpuUse) -> tuple[tuple[str, str], ...]:
    """Label and value."""
    return (
        ("card", use.name),
        ("utilisation", "unknown" if use.utilisation is None else f"{use.utilisation:.0%}"),
        ("peak memory", f"{use.peak_memory / GIB:.1f} of {use.memory / GIB:.1f} GiB"),
        ("samples per second", f"{use.samples_per_second:,.0f}"),
        ("precision", use.precision),
    )


def gpu_line(use: GpuUse) -> str:
    """``NVIDIA L4: utilisation 87%, peak memory 3.1 of 22.5 GiB, 12,345 samples per second, bfloat16``."""
    name, utilisation, memory, rate, precision = (value for _, value in gpu_rows(use))
    return f"{name}: utilisation {utilisation}, peak memory {memory}, {rate} samples per second, {precision}"
