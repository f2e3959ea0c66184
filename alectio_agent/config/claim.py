"""Section `claim` of `agent.yaml`: when an agent asks for a job."""

from alectio_agent.config.section import Section
from alectio_agent.config.values import CommandLine, Size

GIB = 2**30


class ClaimSettings(Section):
    """Section `claim`.

    Attributes:
        min_free_disk: Bytes; with less free on the disk of the state folder, or of a pipeline's
            checkpoints, no job is asked for.
        check: Run by `/bin/sh` before each job; one is asked for when it ends with 0.
    """

    min_free_disk: Size = 10 * GIB
    check: CommandLine | None = None
