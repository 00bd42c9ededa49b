"""The seam by which a platform says what the bot may not do in the places that the operator's routes name. Optional, as all that
platforms may offer besides (see `bridge.platform_api`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from bridge.messages import ChannelId, InstallationId
from bridge.platform_api import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredPlace:
    """A place that one of the operator's routes is about. What is empty is not named by it."""

    where: str
    """Where the operator wrote it, for people: "line 14"."""
    installation: InstallationId = InstallationId("")
    channel: ChannelId = ChannelId("")
    category: ChannelId = ChannelId("")
    in_threads: bool = True
    """Answers are to stand in threads there."""
    everything: bool = False
    """Every message there is a question, also without a mention."""


@runtime_checkable
class ChecksPlaces(Protocol):
    """The platform can say of a place what the bot may not do there."""

    async def check_places(self, places: Sequence[ConfiguredPlace]) -> Sequence[Finding]:
        """At least one finding for each place. Never raises; a failure is a finding."""
        ...
