"""What a server lacks that only speaks like Dify: HolySheep and others answer questions, and have a part of the rest.

A call that is not there is told by 404 or 405. The ability is switched off then, and tried again later. Dify itself lacks none of
these, and puts its version on everything that it says, so a server that names one is never suspected.
"""

import re
from enum import StrEnum

from bridge.clock import Clock
from bridge.remote.framing import text_of
from bridge.remote.refusing import Refusal

LOOK_AGAIN_SECONDS = 600.0
"""For so long what was seen is believed."""


class Ability(StrEnum):
    """What a server may do besides answering questions."""

    RATE = "feedback"
    UPLOAD = "files"
    HEAR = "speech to text"
    SPEAK = "text to speech"
    SUGGEST = "follow-up questions"
    DESCRIBE = "parameters"
    STOP = "stop"
    REMEMBER = "conversations"
    INTRODUCE = "info"
    PICTURE = "meta"


_CALLS = (
    (re.compile(r"/messages/[^/]+/feedbacks"), Ability.RATE),
    (re.compile(r"/files/upload"), Ability.UPLOAD),
    (re.compile(r"/audio-to-text"), Ability.HEAR),
    (re.compile(r"/text-to-audio"), Ability.SPEAK),
    (re.compile(r"/messages/[^/]+/suggested"), Ability.SUGGEST),
    (re.compile(r"/parameters"), Ability.DESCRIBE),
    (re.compile(r"/(chat-messages|completion-messages|workflows/tasks)/[^/]+/stop"), Ability.STOP),
    (re.compile(r"/conversations"), Ability.REMEMBER),
    (re.compile(r"/info"), Ability.INTRODUCE),
    (re.compile(r"/meta"), Ability.PICTURE),
)


class Lacks:
    """What is known about one server, learnt from everything that it says. One per backend."""

    def __init__(self, clock: Clock, look_again: float = LOOK_AGAIN_SECONDS) -> None:
        self._clock = clock
        self._look_again = look_again
        self._seen: dict[Ability, tuple[bool, float]] = {}
        """Whether it lacks it, and when that was seen."""

    def __contains__(self, ability: Ability) -> bool:
        """Whether this was lacking when it was last looked at, which is not long ago."""
        return self._seen.get(ability, (False, 0.0))[0] and not self.is_stale(ability)

    def is_stale(self, ability: Ability) -> bool:
        """Nobody knows (any more) whether this is there."""
        seen = self._seen.get(ability)
        return seen is None or self._clock.monotonic() - seen[1] >= self._look_again

    def note(self, path: str, reply: Refusal) -> None:
        """Learns from a reply to any call. A server in trouble says nothing about what it has."""
        ability = next((ability for call, ability in _CALLS if call.fullmatch(path)), None)
        absent = is_absent(reply)
        if ability is not None and (absent or reply.status < 500):
            self._seen[ability] = absent, self._clock.monotonic()

    def leave(self, ability: Ability) -> None:
        """It could not be looked at just now, and what was known is as good as anything for another while."""
        self._seen[ability] = self._seen.get(ability, (False, 0.0))[0], self._clock.monotonic()


def is_absent(reply: Refusal) -> bool:
    """The server has no such call. Dify's own 404s say with a code what was not found behind a call that is there."""
    if "X-Version" in reply.headers or reply.status not in (404, 405, 501):
        return False
    return reply.status != 404 or not text_of(reply.read(), "code")
