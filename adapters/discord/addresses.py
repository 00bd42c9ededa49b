"""How places and messages are spelled in `Address`. Stored for ever: a spelling may be added, never changed.

    message     CHANNEL/MESSAGE
    target      in/CHANNEL                  post into this thread or direct message
                under/CHANNEL/MESSAGE       a question in a text channel: open a thread there, or else reply to it
                reply/CHANNEL/MESSAGE       reply to this question in its channel

CHANNEL and MESSAGE are Discord's numeric ids. A thread is a channel, so its messages carry the thread's id as CHANNEL.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from bridge.messages import Address

_MESSAGE = re.compile(r"([0-9]{1,20})/([0-9]{1,20})", re.ASCII)
_TARGET = re.compile(r"(?:(in)/([0-9]{1,20})|(under|reply)/([0-9]{1,20})/([0-9]{1,20}))", re.ASCII)


class Manner(StrEnum):
    IN = "in"
    UNDER = "under"
    REPLY = "reply"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePlace:
    channel: int
    message: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetPlace:
    manner: Manner
    channel: int
    question: int | None = None
    """Set unless `manner` is IN."""


def message_address(channel: int, message: int) -> Address:
    return Address(f"{channel}/{message}")


def read_message_address(address: Address) -> MessagePlace:
    """Raises ValueError for anything that `message_address` did not make."""
    found = _MESSAGE.fullmatch(address)
    if found is None:
        raise ValueError(f"not the address of a Discord message: {address!r}")
    return MessagePlace(channel=int(found[1]), message=int(found[2]))


def target_address(place: TargetPlace) -> Address:
    if place.question is None:
        return Address(f"{place.manner}/{place.channel}")
    return Address(f"{place.manner}/{place.channel}/{place.question}")


def read_target_address(address: Address) -> TargetPlace:
    """Raises ValueError for anything that `target_address` did not make."""
    found = _TARGET.fullmatch(address)
    if found is None:
        raise ValueError(f"not the address of a Discord target: {address!r}")
    if found[1]:
        return TargetPlace(manner=Manner.IN, channel=int(found[2]))
    return TargetPlace(manner=Manner(found[3]), channel=int(found[4]), question=int(found[5]))
