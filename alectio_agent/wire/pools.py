"""Whether a pool has enough samples for what an experiment asks."""

from alectio_agent.wire.experiment import ExperimentSettings
from alectio_agent.wire.selection import Growth

LARGEST_POOL = 2**32
"""Pools have fewer samples than this: indices are packed into four bytes."""


def labels_asked(settings: ExperimentSettings, loops: int) -> int:
    """How many labels the first loops ask for.

    Args:
        settings: Of the experiment.
        loops: How many loops, from 0.

    Returns:
        The sum of their batches.
    """
    if loops <= 0:
        return 0
    varying = _varying_loops(settings, loops)
    total = sum(settings.batch_of(loop) for loop in range(varying))
    # From there on all batches are equal: a million loops must not take a million steps.
    return total + (loops - varying) * settings.batch_of(varying)


def batch_left(
    settings: ExperimentSettings,
    loop: int,
    labels: int,
    pool_size: int,
    chosen: int | None = None,
) -> int:
    """How many samples are chosen for a loop, once cut to what is left.

    Args:
        settings: Of the experiment.
        loop: That the batch is for.
        labels: That are spent already: given, or asked for.
        pool_size: Of the pinned pool.
        chosen: Samples that were chosen already, with those that could not be labelled; None when
            all of them are labelled.

    Returns:
        0 when nothing is left, or the stop on labels is reached.
    """
    most = pool_size if settings.stop.max_labels is None else settings.stop.max_labels
    free = pool_size - (labels if chosen is None else chosen)
    return max(0, min(settings.batch_of(loop), free, most - labels))


def pool_problem(
    settings: ExperimentSettings, pool_size: int, loops_made: int = 0, chosen: int = 0
) -> str:
    """Why an experiment cannot be run, or go on, on a pool.

    Args:
        settings: Of the experiment.
        pool_size: Number of samples.
        loops_made: How many loops were chosen already, perhaps by other settings.
        chosen: Samples that were chosen for them.

    Returns:
        A message; empty when it can.
    """
    name, ceiling = settings.name, settings.stop.max_labels
    if pool_size >= LARGEST_POOL:
        return f"experiment `{name}`: a pool of {pool_size:,} samples; expected below 2**32"
    if loops_made >= max(settings.loops, 1):
        return ""
    already = chosen - labels_asked(settings, loops_made)
    before_last = already + labels_asked(settings, settings.loops - 1)
    is_stopped_first = ceiling is not None and ceiling <= pool_size
    fits_first = loops_made > 0 or settings.batch_of(0) <= pool_size
    if fits_first and (before_last < pool_size or is_stopped_first):
        return ""
    asked = already + labels_asked(settings, settings.loops)
    loops = f"{settings.loops:,} loop{'' if settings.loops == 1 else 's'}"
    return (
        f"experiment `{name}` asks for {asked:,} labels "
        f"({_batches(settings)}, {loops}); the pool has {pool_size:,}. Lower batch or loops"
    )


def _varying_loops(settings: ExperimentSettings, loops: int) -> int:
    """The loop from which all batches are equal, at least 1 as loop 0 has its own size."""
    if isinstance(settings.batch, int):
        return min(loops, 1)
    if isinstance(settings.batch, list):
        return min(loops, len(settings.batch))
    loop = 1
    while loop < loops and settings.batch_of(loop) < settings.batch.max:
        loop += 1
    return loop


def _batches(settings: ExperimentSettings) -> str:
    batch = settings.batch
    if isinstance(batch, Growth):
        told = f"batch {batch.start:,} growing to {batch.max:,}"
    elif isinstance(batch, list):
        shown = ", ".join(f"{size:,}" for size in batch[:4])
        told = f"batches {shown}{', ...' if len(batch) > 4 else ''}"
    else:
        told = f"batch {batch:,}"
    size = settings.initial.size
    return told if size is None else f"initial {size:,}, {told}"
