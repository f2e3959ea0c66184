"""What every record on the wire has in common."""

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """A frozen record that ignores fields it does not know, so that fields may be added freely."""

    # Of values most are keys and digests, each new: their cache would only fill, megabytes of it.
    model_config = ConfigDict(frozen=True, extra="ignore", cache_strings="keys")


class Order(Record):
    """What a person asks for: a name that is not known is refused, since it may be misspelt."""

    model_config = ConfigDict(extra="forbid")
