"""What all sections of `agent.yaml` have in common."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Frozen; an unknown key is an error; defaults go through the same rules as values."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)
