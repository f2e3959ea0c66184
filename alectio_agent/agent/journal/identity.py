"""Who this installation is: `identity.json`, written by rename."""

from functools import partial
from pathlib import Path
from secrets import token_hex

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alectio_agent.agent.journal.disk import Disk
from alectio_agent.core.errors import StoreError, StoreVersionError
from alectio_agent.core.ids import new_id
from alectio_agent.wire.agents import Boot
from alectio_agent.wire.strict_json import JsonRuleError, loads

SCHEMA = 1
HINT = (
    "Put back a copy of it. Without one, remove it to become a new agent to the platform: results "
    "in the outbox are still delivered, and jobs that were begun go on under their leases."
)


class Identity(BaseModel):
    """The content of the file.

    Attributes:
        installation_id: Random, made with the state folder.
        boot: Grows with every start of the agent.
        digest_key: Random, made once; never leaves this machine. What is told by a digest cannot be
            guessed without it.
    """

    model_config = ConfigDict(frozen=True)

    installation_id: str
    boot: Boot
    digest_key: str = Field(default_factory=partial(token_hex, 32), repr=False)
    schema_number: int = SCHEMA


def next_boot(disk: Disk, folder: Path) -> Identity:
    """Begin a new life of this installation, durably.

    Args:
        disk: Where the file lies.
        folder: The state folder.

    Returns:
        The identity with a boot count one higher and a new boot id.

    Raises:
        StoreError: The file cannot be used; it is not overwritten.
    """
    file = folder / "identity.json"
    content = disk.read(file)
    before = _parse(file, content) if content is not None else None
    boot = Boot(count=before.boot.count + 1 if before else 1, id=new_id())
    if before is None:
        identity = Identity(installation_id=new_id(), boot=boot)
    else:
        identity = before.model_copy(update={"boot": boot})
    disk.write(file, identity.model_dump_json(indent=1).encode())
    return identity


def _parse(file: Path, content: bytes) -> Identity:
    try:
        found = loads(content)
        number = found.get("schema_number", SCHEMA) if isinstance(found, dict) else SCHEMA
        if isinstance(number, int) and number > SCHEMA:  # whatever else it holds by then
            raise StoreVersionError(
                f"{file}: schema {number} was written by a newer version",
                hint="Install that version again.",
            )
        return Identity.model_validate(found)
    except (JsonRuleError, ValidationError) as error:
        raise StoreError(f"{file}: not the identity that an agent wrote", hint=HINT) from error
