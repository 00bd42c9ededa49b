"""Where the record is kept."""

from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_ACCEPTED = ("sqlite+aiosqlite", "sqlite")
_HINT = "DATABASE_URL must name an SQLite file, for example sqlite:///data/bridge.db"


class Settings(BaseSettings):
    """The database. Only SQLite is supported in this release."""

    # A refused value may be a URL with a password in it.
    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)

    database_url: str = Field(
        "sqlite+aiosqlite:///data/bridge.db",
        description="SQLite file that holds the record, on a local disk: sqlite:///relative/path or sqlite:////absolute/path.",
    )
    database_busy_timeout: float = Field(
        10.0, gt=0, le=300, description="Seconds to wait for a database that another program has locked."
    )

    @field_validator("database_url")
    @classmethod
    def _complete(cls, value: str) -> str:
        scheme, separator, rest = value.strip().partition("://")
        if not separator or scheme.lower() not in _ACCEPTED:
            raise ValueError(f"{_HINT}; only SQLite is supported in this release, other databases are not.")
        if not rest.startswith("/"):
            raise ValueError(f"{_HINT} (three slashes before a relative path, four before an absolute one).")
        name = rest[1:]
        if not name or name == ":memory:" or name.startswith("file:") or "?" in name or name.endswith("/"):
            # A database in memory would be a second, empty one for every connection, and would forget at every restart.
            raise ValueError(f"{_HINT}; a database in memory, a folder or parameters behind ? are not accepted.")
        return f"{_ACCEPTED[0]}:///{name}"

    @property
    def path(self) -> Path:
        """The database file. A relative one is relative to the working directory."""
        return Path(self.database_url.partition(":///")[2])
