"""Whether somebody is let in where they want something of the bot, and what becomes of it when they are not. Pure."""

from dataclasses import dataclass

from bridge.decisions import Refuse
from bridge.messages import Author, ConversationKey, EventId, ReplyTarget
from bridge.routing import External, Resolution

NO_APP = "No app is set up to answer here. Please ask whoever runs this bot."
NOT_ADMITTED = "You may not use this bot here. Please ask whoever runs it if you think that you should."
SHARED_CHANNEL = "This bot does not answer in channels shared with other organisations."


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    reason: str
    notice: str


def find_refusal(resolution: Resolution, external: External, author: Author) -> Refusal | None:
    if external is External.DENY:
        return Refusal(reason="people of another organisation read along", notice=SHARED_CHANNEL)
    if resolution.app is None:
        return Refusal(reason=" ".join(("no app answers here.", *resolution.because)), notice=NO_APP)
    if not resolution.access.admits(author):
        return Refusal(reason="the author is not admitted here", notice=NOT_ADMITTED)
    return None


def turn_away(why: Refusal, event_id: EventId, key: ConversationKey, who: Author, tell: ReplyTarget | None) -> Refuse:
    return Refuse(event_id=event_id, key=key, person=who.id, reason=why.reason, notice=why.notice, tell=tell)


def outside_of(resolution: Resolution, author: Author, *, is_external: bool) -> External:
    """What holds for an event: `on` where nobody of another organisation has to do with it."""
    return resolution.guests.external if is_external or author.home else External.ON
