"""How this adapter spells places and buttons. The spellings are stored for ever, here or at Slack, so none may change.

    message   team/channel/ts          "T0123/C0456/1718000000.000100"
    target    team/channel/thread_ts   the same, with the timestamp of the thread's root
    button    bridge:action            "bridge:stop", its `action_id`; the action alone is its `value`

Slack's ids hold letters and digits only, and a timestamp is unique within its channel, not beyond.
"""

from dataclasses import dataclass

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


def post_group(place: Place) -> PaceGroup:
    """Slack counts new messages per channel."""
    return PaceGroup(f"slack/{place.team}/{place.channel}")


def edit_group(place: Place) -> PaceGroup:
    """Slack counts `chat.update` per workspace, all channels together."""
    return PaceGroup(f"slack/{place.team}")
