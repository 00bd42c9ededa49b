"""How places, messages, files and buttons are spelled. Stored for ever: a spelling may be added, never changed.

    message     CHANNEL/MESSAGE
    file        CHANNEL/MESSAGE/FILE        an attachment of that message
                link/URL                    one that belongs to no message, or to none that can be read again
    target      in/CHANNEL                  post into this thread or direct message
                under/CHANNEL/MESSAGE       a question in a text channel: open a thread there, or else reply to it
                reply/CHANNEL/MESSAGE       reply to this question in its channel
                ask/CHANNEL/INTERACTION     a command asked in a text channel: its answer becomes the question that a thread
                                            hangs under
                pick/CHANNEL/MESSAGE/INTERACTION
                                            a form asked about this message: open a thread there, and say the question first
                hook/INTERACTION            asked where the bot is not: nothing but the interaction's webhook leads there
                hush/INTERACTION            what only the person reads who caused that interaction

CHANNEL, MESSAGE, FILE and INTERACTION are Discord's numeric ids. A thread is a channel, so its messages carry the thread's id as
CHANNEL. The token that an interaction's webhook needs is no part of any spelling: see `writing.hooks`.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from bridge.messages import Address

_LINK = "link/"
_NUMBER = "([0-9]{1,20})"
_MESSAGE = re.compile(f"{_NUMBER}/{_NUMBER}", re.ASCII)
_FILE = re.compile(f"{_NUMBER}/{_NUMBER}/{_NUMBER}", re.ASCII)
_IN = re.compile(f"in/{_NUMBER}", re.ASCII)
_QUESTION = re.compile(f"(under|reply)/{_NUMBER}/{_NUMBER}", re.ASCII)
_ASK = re.compile(f"ask/{_NUMBER}/{_NUMBER}", re.ASCII)
_PICK = re.compile(f"pick/{_NUMBER}/{_NUMBER}/{_NUMBER}", re.ASCII)
_WEBHOOK = re.compile(f"(hook|hush)/{_NUMBER}", re.ASCII)


class Manner(StrEnum):
    IN = "in"
    UNDER = "under"
    REPLY = "reply"
    ASK = "ask"
    PICK = "pick"
    HOOK = "hook"
    HUSH = "hush"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePlace:
    channel: int
    message: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePlace:
    channel: int
    message: int
    file: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetPlace:
    manner: Manner
    channel: int
    """0 for HOOK and HUSH."""
    question: int | None = None
    """The message that is answered or picked: of UNDER, REPLY and PICK."""
    interaction: int | None = None
    """Of ASK, PICK, HOOK and HUSH."""


def message_address(channel: int, message: int) -> Address:
    return Address(f"{channel}/{message}")


def read_message_address(address: Address) -> MessagePlace:
    """Raises ValueError for anything that `message_address` did not make."""
    found = _MESSAGE.fullmatch(address)
    if found is None:
        raise ValueError(f"not the address of a Discord message: {address!r}")
    return MessagePlace(channel=int(found[1]), message=int(found[2]))


def file_address(channel: int, message: int, file: int) -> Address:
    return Address(f"{channel}/{message}/{file}")


def read_file_address(address: Address) -> FilePlace:
    """Raises ValueError for anything that `file_address` did not make."""
    found = _FILE.fullmatch(address)
    if found is None:
        raise ValueError(f"not the address of a Discord file: {address!r}")
    return FilePlace(channel=int(found[1]), message=int(found[2]), file=int(found[3]))


def link_address(url: str) -> Address:
    return Address(f"{_LINK}{url}")


def read_link_address(address: Address) -> str | None:
    """None for what `link_address` did not make."""
    return address.removeprefix(_LINK) if address.startswith(_LINK) else None


def ask_address(channel: int, interaction: int) -> Address:
    return Address(f"{Manner.ASK}/{channel}/{interaction}")


def pick_address(channel: int, message: int, interaction: int) -> Address:
    return Address(f"{Manner.PICK}/{channel}/{message}/{interaction}")


def hook_address(interaction: int) -> Address:
    return Address(f"{Manner.HOOK}/{interaction}")


def hush_address(interaction: int) -> Address:
    return Address(f"{Manner.HUSH}/{interaction}")


def target_address(place: TargetPlace) -> Address:
    parts = (place.channel or None, place.question, place.interaction)
    return Address("/".join([place.manner.value, *(str(part) for part in parts if part is not None)]))


def read_target_address(address: Address) -> TargetPlace:
    """Raises ValueError for anything that was not made here."""
    if found := _IN.fullmatch(address):
        return TargetPlace(manner=Manner.IN, channel=int(found[1]))
    if found := _QUESTION.fullmatch(address):
        return TargetPlace(manner=Manner(found[1]), channel=int(found[2]), question=int(found[3]))
    if found := _ASK.fullmatch(address):
        return TargetPlace(manner=Manner.ASK, channel=int(found[1]), interaction=int(found[2]))
    if found := _PICK.fullmatch(address):
        return TargetPlace(manner=Manner.PICK, channel=int(found[1]), question=int(found[2]), interaction=int(found[3]))
    if found := _WEBHOOK.fullmatch(address):
        return TargetPlace(manner=Manner(found[1]), channel=0, interaction=int(found[2]))
    raise ValueError(f"not the address of a Discord target: {address!r}")
