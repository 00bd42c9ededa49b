"""What can be chosen of the echo. There is no server, and so no key."""

from typing import ClassVar

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)

    only_named: ClassVar[bool] = True
    """It answers only where an app of `bridge.toml` names it, and never because nothing else is configured."""

    echo_pause: float = Field(
        default=0.05,
        ge=0,
        le=10,
        description='Seconds between two words of an app with backend = "echo" in bridge.toml, which says every question back.',
    )
    echo_max_concurrent: int = Field(default=100, ge=1, le=1000, description="Echoes at the same time.")

    @property
    def enabled(self) -> bool:
        return True
