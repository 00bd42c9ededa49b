"""The seam to platforms that can be installed in several places: what is kept of each, and where.

A platform implements `KeepsInstallations`; storage implements `Installations`, with the secrets encrypted.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from pydantic import SecretStr

from bridge.messages import InstallationId


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """One place where the bot is installed, for platforms that let several."""

    id: InstallationId
    name: str
    """For people."""
    facts: Mapping[str, str]
    """What the platform must know of it and anybody may see."""
    secrets: Mapping[str, SecretStr]
    """Encrypted where they are kept."""
    expires_at: datetime | None = None
    """When the secrets must be renewed."""


class Installations(Protocol):
    """Where one platform keeps what it was given when it was installed. All methods raise `StoreUnavailable`."""

    async def find(self, installation: InstallationId) -> Installation | None:
        """None also where its secrets cannot be read with any key that is configured (which is logged)."""
        ...

    async def all(self) -> Sequence[Installation]: ...

    async def save(self, installation: Installation) -> None:
        """Replaces the one of the same id."""
        ...

    async def remove(self, installation: InstallationId) -> bool:
        """Forgets it, secrets and all. False: there was none."""
        ...

    def renewing(self, installation: InstallationId) -> AbstractAsyncContextManager["Renewal"]:
        """Holds the row, so that no other process renews its secrets meanwhile; `Renewal.current` is what is kept now."""
        ...

    async def issue_state(self, valid_for: timedelta) -> str:
        """A secret word that somebody brings back who was sent away to allow an installation."""
        ...

    async def redeem_state(self, state: str) -> bool:
        """Whether it was issued, is still valid and was not brought back before."""
        ...


class Renewal(Protocol):
    @property
    def current(self) -> Installation | None: ...

    async def save(self, installation: Installation) -> None: ...


@runtime_checkable
class KeepsInstallations(Protocol):
    """The platform can be installed in several places."""

    def use_installations(self, installations: Installations) -> None:
        """Called once, before `run`."""
        ...
