"""What all sections of `agent.yaml` have in common."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Frozen; an unknown key is an error; defaults go through the same rules as values."""

    # Built when it is needed: most sections are only ever read as a part of the whole file.
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, defer_build=True)
