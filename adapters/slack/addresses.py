"""How this adapter spells places and buttons. The spellings are stored for ever, here or at Slack, so none may change.

    message   team/channel/ts          "T0123/C0456/1718000000.000100"
    target    team/channel/thread_ts   the same, with the timestamp of the thread's root
    button    bridge:action            "bridge:stop", its `action_id`; the action alone is its `value`
              bridge:action:number     "bridge:resume:2", of several of one action, each with its own `value`

Slack's ids hold letters and digits only, and a timestamp is unique within its channel, not beyond.
"""

from dataclasses import dataclass

from bridge.events import VALUED
from bridge.messages import Address, ButtonAction, MessageRef, PaceGroup, PlatformName

SLACK = PlatformName("slack")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A message, or the thread that hangs under it."""

    team: str
    channel: str
    ts: str


def write_address(place: Place) -> Address:
    """Raises ValueError for parts that could not be read back."""
    parts = (place.team, place.channel, place.ts)
    if not all(parts) or any("/" in part for part in parts):
        raise ValueError(f"not a Slack place: {parts}")
    return Address("/".join(parts))


def read_address(address: Address) -> Place:
    """Raises ValueError when this adapter did not write it."""
    parts = address.split("/")
    if len(parts) != 3 or not all(parts):
        raise ValueError(f"not a Slack address: {address}")
    return Place(team=parts[0], channel=parts[1], ts=parts[2])


def message_ref(place: Place) -> MessageRef:
    return MessageRef(platform=SLACK, address=write_address(place))


def write_action_id(action: ButtonAction) -> str:
    return f"bridge:{action.value}"


def read_action_id(action_id: str) -> ButtonAction | None:
    """None for what is no button of ours, or of a version that knew more of them."""
    return next((action for action in ButtonAction if write_action_id(action) == action_id), None)


def write_valued_id(action: ButtonAction, number: int) -> str:
    return f"{write_action_id(action)}:{number}"


def read_valued_id(action_id: str) -> ButtonAction | None:
    """None for what is no button of ours with a value of its own."""
    name, _, number = action_id.rpartition(":")
    action = read_action_id(name) if number.isascii() and number.isdecimal() else None
    return action if action in VALUED else None


def write_block_id(number: int, thread: str) -> str:
    """`block_id` of buttons that one person sees: a press of one does not tell in which thread that was."""
    return f"bridge:{number}:{thread}"


def read_block_id(block_id: str) -> str:
    """The thread; "" where none is told."""
    parts = block_id.split(":")
    return parts[2] if len(parts) == 3 and parts[0] == "bridge" else ""


def post_group(place: Place) -> PaceGroup:
    """Slack counts new messages per channel."""
    return PaceGroup(f"slack/{place.team}/{place.channel}")


def edit_group(place: Place) -> PaceGroup:
    """Slack counts `chat.update` per workspace, all channels together."""
    return PaceGroup(f"slack/{place.team}")


# What else is spelled here:
#
#     file      team/file                             "T0123/F0456"
#     opening   team/channel/!nonce/seconds           a thread whose first message is not posted yet, and since when that is due
#     private   private:team/channel/person/ts/key    who alone reads it, and where; "-" for what there is none of

FEEDBACK_ACTION = "bridge:feedback"
"""`action_id` of the two native buttons that rate an answer. Their values are those of the button actions."""

_PRIVATE = "private:"
_NONE = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A thread that is still to be begun."""

    team: str
    channel: str
    nonce: str
    """Of the message that begins it."""
    at: float
    """Seconds since the epoch: it was not begun before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivatePlace:
    team: str
    channel: str
    person: str
    thread: str = ""
    key: str = ""
    """Of a way to answer that is kept in memory only."""


def write_question_id(number: int) -> str:
    """`action_id` of a button that asks a question: each of a message needs its own."""
    return f"bridge:ask:{number}"


def write_file(team: str, file: str) -> Address:
    if not team or not file or "/" in team + file:
        raise ValueError(f"not a Slack file: {team!r} {file!r}")
    return Address(f"{team}/{file}")


def read_file(address: Address) -> tuple[str, str]:
    """Team and file id. Raises ValueError when this adapter did not write it."""
    team, _, file = address.partition("/")
    if not team or not file or "/" in file:
        raise ValueError(f"not a Slack file: {address}")
    return team, file


def write_opening(team: str, channel: str, nonce: str, at: float) -> Address:
    parts = (team, channel, nonce)
    if not all(parts) or any("/" in part for part in parts):
        raise ValueError(f"not a Slack place: {parts}")
    return Address(f"{team}/{channel}/!{nonce}/{at:.3f}")


def read_opening(address: Address) -> Opening | None:
    """None for an address of another kind."""
    parts = address.split("/")
    if len(parts) != 4 or not all(parts) or not parts[2].startswith("!") or address.startswith(_PRIVATE):
        return None
    try:
        return Opening(team=parts[0], channel=parts[1], nonce=parts[2][1:], at=float(parts[3]))
    except ValueError:
        return None


def write_private(team: str, channel: str, person: str, thread: str = "", key: str = "") -> Address:
    parts = (team, channel, person, thread or _NONE, key or _NONE)
    if not all(parts) or any("/" in part for part in parts):
        raise ValueError(f"not a Slack place: {parts}")
    return Address(_PRIVATE + "/".join(parts))


def read_private(address: Address) -> PrivatePlace | None:
    """None for an address of another kind."""
    parts = address.removeprefix(_PRIVATE).split("/")
    if not address.startswith(_PRIVATE) or len(parts) != 5 or not all(parts):
        return None
    thread, key = ("" if part == _NONE else part for part in parts[3:])
    return PrivatePlace(team=parts[0], channel=parts[1], person=parts[2], thread=thread, key=key)
