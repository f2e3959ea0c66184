"""Takes labels without holding up the writer, on which all beats and commits wait."""

import asyncio
from asyncio import wrap_future
from functools import partial

from alectio_agent.hub.api.services import Services
from alectio_agent.wire.labels import LabelImport, LabelsImported


async def take_labels(services: Services, name: str, said: LabelImport) -> LabelsImported:
    """Check what was said beside the writer, then keep it.

    Args:
        services: With store and platform.
        name: Of the experiment.
        said: The rows.

    Returns:
        What was new, and what happens now.

    Raises:
        ProblemError: `not-found`, `conflict`, or `invalid` with what is wrong with each row.
    """
    store, platform = services.store, services.platform
    seen = await wrap_future(store.read(partial(platform.see_labels, name=name)))
    checked = await asyncio.to_thread(platform.check_labels, seen, said)
    keep = partial(platform.import_labels, name=name, said=said, checked=checked)
    return await wrap_future(services.dealer.write(keep))
