"""Where the record is kept."""

from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

_SQLITE = ("sqlite+aiosqlite", "sqlite")
_POSTGRES = ("postgresql+psycopg", "postgresql", "postgres")
_HINT = (
    "DATABASE_URL must name an SQLite file, for example sqlite:///data/bridge.db, "
    "or a PostgreSQL database, for example postgresql://user:password@host/name"
)

SHORTEST_KEY = 32
"""Characters. Whoever takes the time to type so many has thought about it; random ones of hexadecimal digits hold 128 bits."""
_KEY_HINT = (
    f"ENCRYPTION_KEY must be a key of at least {SHORTEST_KEY} characters, for example what `openssl rand -hex 32` prints, "
    "or several of them with commas between, the newest first"
)


class Settings(BaseSettings):
    """The database: an SQLite file for one process, PostgreSQL for any number of them."""

    # A refused value may be a URL with a password in it.
    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)

    database_url: SecretStr = Field(
        SecretStr("sqlite+aiosqlite:///data/bridge.db"),
        description="SQLite file that holds the record, on a local disk: sqlite:///relative/path or sqlite:////absolute/path. "
        "Or PostgreSQL 14 or newer, which any number of processes may share: postgresql://user:password@host/name.",
    )
    database_busy_timeout: float = Field(
        10.0, gt=0, le=300, description="Seconds to wait for a database that another program has locked."
    )
    database_connections: int = Field(
        10,
        ge=2,
        le=200,
        description="PostgreSQL: connections that the work of one process shares. It has up to 5 more, and 1 for each part "
        "of a platform that only one process may run.",
    )
    database_heartbeat: float = Field(
        2.0, ge=0.2, le=60, description="PostgreSQL: seconds between two signs of life of a process."
    )
    database_stalled: float = Field(
        10.0,
        ge=1,
        le=600,
        description="PostgreSQL: seconds of silence after which the others take over the work of a process that seems frozen. "
        "One that has died is noticed sooner.",
    )

    encryption_key: SecretStr | None = Field(
        None,
        description="Key that the tokens of installed workspaces are encrypted with: 32 characters or more, best of all random "
        "ones (openssl rand -hex 32). To change it, put the new one before the old one, with a comma between; where several "
        "processes run, give all of them `old,new` first. Not needed for one workspace whose token is set.",
    )

    @field_validator("database_url")
    @classmethod
    def _complete(cls, value: SecretStr) -> SecretStr:
        scheme, separator, rest = value.get_secret_value().strip().partition("://")
        if separator and scheme.lower() in _POSTGRES:
            return SecretStr(_complete_postgres(rest))
        if not separator or scheme.lower() not in _SQLITE:
            raise ValueError(f"{_HINT}; other databases are not supported.")
        if not rest.startswith("/"):
            raise ValueError(f"{_HINT} (three slashes before a relative path, four before an absolute one).")
        name = rest[1:]
        if not name or name == ":memory:" or name.startswith("file:") or "?" in name or name.endswith("/"):
            # A database in memory would be a second, empty one for every connection, and would forget at every restart.
            raise ValueError(f"{_HINT}; a database in memory, a folder or parameters behind ? are not accepted.")
        return SecretStr(f"{_SQLITE[0]}:///{name}")

    @field_validator("encryption_key")
    @classmethod
    def _usable(cls, value: SecretStr | None) -> SecretStr | None:
        lengths = [len(key.get_secret_value()) for key in _split_keys(value)]
        if 0 in lengths:
            raise ValueError(f"{_KEY_HINT}; there is a comma with no key before or after it.")
        if any(length < SHORTEST_KEY for length in lengths):
            raise ValueError(f"{_KEY_HINT}; one of them is too short.")
        return value

    @field_validator("database_stalled")
    @classmethod
    def _outlast_heartbeats(cls, value: float, info: object) -> float:
        heartbeat = getattr(info, "data", {}).get("database_heartbeat", 0.0)
        if value < 3 * heartbeat:
            raise ValueError(f"DATABASE_STALLED must be at least three times DATABASE_HEARTBEAT ({heartbeat:g}).")
        return value

    @property
    def shared(self) -> bool:
        """PostgreSQL: other processes may work with the same record."""
        return self.database_url.get_secret_value().startswith(_POSTGRES[0])

    @property
    def encryption_keys(self) -> tuple[SecretStr, ...]:
        """The one to encrypt with first; empty where none is set."""
        return _split_keys(self.encryption_key)

    @property
    def path(self) -> Path:
        """The SQLite file. A relative one is relative to the working directory."""
        scheme, _, name = self.database_url.get_secret_value().partition(":///")
        if scheme not in _SQLITE:
            raise ValueError("only a database in a file has a path")
        return Path(name)

    @property
    def url(self) -> URL:
        """The address in its parts; as text it hides the password."""
        return make_url(self.database_url.get_secret_value())


def _split_keys(value: SecretStr | None) -> tuple[SecretStr, ...]:
    return () if value is None else tuple(SecretStr(key.strip()) for key in value.get_secret_value().split(","))


def _complete_postgres(rest: str) -> str:
    text = f"{_POSTGRES[0]}://{rest}"
    # `from None`: the library's words may quote a piece of a password that was taken for something else.
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError(f"{_HINT}; special characters in the password must be percent-encoded.") from None
    if not url.database:
        raise ValueError(f"{_HINT}; the name of the database is missing.")
    if "@" in (url.host or ""):
        raise ValueError(f"{_HINT}; special characters in the password must be percent-encoded (@ is %40).")
    return text
