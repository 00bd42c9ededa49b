"""Slack's payloads in, `InboundEvent`s out. Pure: nothing here calls Slack, and nothing here decides who is answered.

This is the door to the folder `reading`. What people fill into forms and type as commands is read in `surfaces`, for those may be
answered at once.
"""

from collections.abc import Mapping

from adapters.slack.reading.fields import Ignored, Json, object_in, text_in
from adapters.slack.reading.messages import around, people_in_message, read_message_event
from adapters.slack.reading.people import ANSWERED_SUBTYPES, Identity, identity_in
from adapters.slack.reading.presses import BUTTON_PRESS, people_in_press, read_press
from adapters.slack.reading.signals import read_assistant, read_opened, read_reaction, read_stop
from bridge.events import InboundEvent

__all__ = [
    "ANSWERED_SUBTYPES",
    "BUTTON_PRESS",
    "Identity",
    "Ignored",
    "Json",
    "channel_in",
    "identity_in",
    "people_in",
    "read_event",
]


def channel_in(payload: Json) -> str:
    """Where it happened, for keeping events of one channel in order. Empty when the event says nothing of the kind."""
    event = object_in(payload, "event")
    return text_in(event, "channel") or text_in(object_in(event, "item"), "channel")


def people_in(payload: Json) -> tuple[str, ...]:
    """Ids of the people whose names will be read: whoever is mentioned, and who asks what nobody sees."""
    if payload.get("type") == BUTTON_PRESS:
        return people_in_press(payload)
    return people_in_message(object_in(payload, "event"))


def read_event(
    payload: Json, me: Identity, names: Mapping[str, str], *, rolling: bool = False
) -> InboundEvent | Ignored:
    """One payload of `event_callback` or `block_actions`. `names` spells people by id as far as they are known. `rolling`: all
    direct messages with one person are one conversation."""
    if payload.get("type") == BUTTON_PRESS:
        return read_press(payload, me, names, rolling=rolling)
    event, here = object_in(payload, "event"), around(payload, me, names, rolling=rolling)
    match kind := text_in(event, "type"):
        case "message" | "app_mention":
            return read_message_event(event, here)
        case "reaction_added" | "reaction_removed":
            return read_reaction(event, here, added=kind == "reaction_added")
        case "agent_session_stopped":
            return read_stop(event, here)
        case "app_home_opened":
            return read_opened(event, here)
        case "assistant_thread_started":
            return read_assistant(event, here)
        case _:
            return Ignored(reason=f"event type {kind or 'missing'} is not used")
