"""What people do beside writing and reacting, ready-made."""

from dataclasses import replace
from datetime import datetime

from bridge.events import ButtonPressed, MessageDeleted, MessageEdited, MessageReceived
from bridge.messages import ButtonAction, EventId, InstallationId, PersonId
from tests.fakes import values

TEAM = InstallationId("team")


def edited(
    now: MessageReceived, text: str = "", *, revision: int = 1, sent_at: datetime | None = None
) -> MessageEdited:
    """`now` with another text, or just as it is."""
    return MessageEdited(
        event_id=EventId(f"edit {now.ref.address} {revision}"),
        now=replace(now, text=text or now.text, sent_at=sent_at or now.sent_at),
        revision=revision,
    )


def deleted(number: int = 1) -> MessageDeleted:
    """The message that `values.message` numbers so is gone."""
    return MessageDeleted(event_id=EventId(f"gone {number}"), ref=values.ref(f"q{number}"), installation=TEAM)


def pressed(action: ButtonAction, address: str, *, event: str = "") -> ButtonPressed:
    return ButtonPressed(
        event_id=EventId(event or f"pressed {action.value} {address}"),
        message=values.ref(address),
        installation=TEAM,
        person=PersonId("ada"),
        action=action,
    )
