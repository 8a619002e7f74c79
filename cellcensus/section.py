"""What every group of settings is."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A group of settings: frozen, and refusing names it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")
