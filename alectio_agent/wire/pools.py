"""Whether a pool has enough samples for what an experiment asks."""

from alectio_agent.wire.experiment import ExperimentSettings, Growth

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


def batch_left(settings: ExperimentSettings, loop: int, labelled: int, pool_size: int) -> int:
    """How many samples are chosen for a loop, once cut to what is left.

    Args:
        settings: Of the experiment.
        loop: That the batch is for.
        labelled: Samples that are labelled already.
        pool_size: Of the pinned pool.

    Returns:
        0 when nothing is left, or the stop on labels is reached.
    """
    ceiling = min(pool_size, settings.stop.max_labels or pool_size)
    return max(0, min(settings.batch_of(loop), ceiling - labelled))


def pool_problem(settings: ExperimentSettings, pool_size: int) -> str:
    """Why an experiment cannot be run on a pool.

    Args:
        settings: Of the experiment.
        pool_size: Number of samples.

    Returns:
        A message; empty when it can.
    """
    name, ceiling = settings.name, settings.stop.max_labels
    if pool_size >= LARGEST_POOL:
        return f"experiment `{name}`: a pool of {pool_size:,} samples; expected below 2**32"
    before_last = labels_asked(settings, settings.loops - 1)
    is_stopped_first = ceiling is not None and ceiling <= pool_size
    if settings.batch_of(0) <= pool_size and (before_last < pool_size or is_stopped_first):
        return ""
    loops = f"{settings.loops:,} loop{'' if settings.loops == 1 else 's'}"
    return (
        f"experiment `{name}` asks for {labels_asked(settings, settings.loops):,} labels "
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
