"""Tells people whose question is one too many for now when they may ask again. What is too many is decided in the store."""

from datetime import datetime

from bridge.clock import Clock
from bridge.messages import ChannelId, InstallationId, PersonId, PlatformName, ReplyTarget
from bridge.notices import Notices
from bridge.quotas import in_questions, in_words
from bridge.store import Limited

OF_PERSON = "You have asked {questions}, which is as much as I take from one person. You can ask again in {wait}."
OF_CHANNEL = "I take at most {questions} in this channel. You can ask again in {wait}."

FULL = "{waiting} waiting here already, so I cannot take more for now. Please ask again when I have caught up."
BEHIND_FORM = "Your question comes next, once the form above is answered (or stopped)."
BUSY = "{waiting} waiting for the app already, so I cannot take more for now. Please ask again in a few minutes."

_Who = tuple[PlatformName, InstallationId, ChannelId, PersonId]


class LimitTeller:
    """In private each refusal is told for itself; where others read along, once until the time is up."""

    def __init__(self, notices: Notices, clock: Clock, most_remembered: int = 2_000) -> None:
        self._notices = notices
        self._clock = clock
        self._most = most_remembered
        self._told: dict[_Who, datetime] = {}

    def tell(self, limited: Limited, person: PersonId, target: ReplyTarget, private: ReplyTarget | None) -> None:
        """`target`: where everybody reads."""
        now = self._clock.now()
        if private is None:
            key = target.conversation
            who = (key.platform, key.installation, key.channel, person)
            if self._told.get(who, now) > now:
                return
            self._told.pop(who, None)
            self._told[who] = limited.until
            if len(self._told) > self._most:
                del self._told[next(iter(self._told))]
        text = (OF_CHANNEL if limited.of_channel else OF_PERSON).format(
            questions=in_questions(limited.quota), wait=in_words(limited.until - now)
        )
        self._notices.tell(private or target, text, about=f"too many questions by {person}")

    def tell_behind_form(self, tell: ReplyTarget) -> None:
        self._notices.tell(tell, BEHIND_FORM, about="behind a form")

    def tell_full(self, waiting: int, tell: ReplyTarget, *, busy: bool) -> None:
        """Too much waits: for the app where it is `busy`, else in this conversation."""
        counted = "There is 1 question" if waiting == 1 else f"There are {waiting} questions"
        self._notices.tell(tell, (BUSY if busy else FULL).format(waiting=counted), about="too much waits")
