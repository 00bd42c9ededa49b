"""What is right, told from the stand-ins' own records: every question answered, once, in order, whole, with nothing left open."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from bridge.playground.dify.records import Ended
from bridge.playground.dify.script import Reply
from tests.integration.seats import Seat
from tests.recovery import looking
from tests.recovery.world import World

_NAME = re.compile(r"\bq[a-z]+\b")
_WORD = re.compile(r"\bq[a-z]+\d+\b")
_LETTERS = "abcdefghij"


def name_of(number: int) -> str:
    """A name for a question, in letters only: its words are the name and a number."""
    return "q" + "".join(_LETTERS[int(digit)] for digit in str(number))


def answer_to(name: str, words: int) -> list[str]:
    return [f"{name}{number}" for number in range(words)]


@dataclass(slots=True)
class Exam:
    """Asks questions with names, scripts the app to answer each with words of its own, and says what became of them."""

    world: World
    words: int = 60
    """Of an answer."""
    per_token: float = 0.002
    lengths: dict[str, int] = field(default_factory=dict)
    """Words of those answers that are longer or shorter than the others."""
    slow: dict[str, float] = field(default_factory=dict)
    """Seconds between the words of those that take their time when they are asked first."""
    late: dict[str, float] = field(default_factory=dict)
    """Seconds before the first word of those that think about it."""
    asked: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """Platform and thread -> the names of the questions there, in order."""
    retried: set[tuple[str, str]] = field(default_factory=set)
    """Threads in which somebody pressed Retry: what an answer gained by it stands below what was said since."""
    count: int = 0

    def __post_init__(self) -> None:
        self.world.dify.script = self._reply

    def _reply(self, query: str) -> Reply:
        found = _NAME.findall(query)
        assert found, f"a question without a name came through: {query!r}"
        name = found[-1]
        words = answer_to(name, self.lengths.get(name, self.words))
        return Reply(
            tokens=[f"{word} " for word in words],
            per_token=self.slow.get(name, self.per_token) if self.times_asked(name) <= 1 else self.per_token,
            first_token=self.late.get(name, 0.0),
        )

    def new_name(self) -> str:
        self.count += 1
        return name_of(self.count)

    async def ask(self, seat: Seat, *, name: str = "", channel: int = 0) -> str:
        """Asks in a new thread and returns it."""
        name = name or self.new_name()
        thread = await seat.ask(f"tell me about {name}", channel=channel)
        self.asked[(seat.name, thread)] = [name]
        return thread

    async def follow(self, seat: Seat, thread: str, *, name: str = "") -> str:
        """Asks once more in a thread and returns the question's name.

        Mentions the bot: somebody who writes within milliseconds of the thread's first question may be heard before it.
        """
        name = name or self.new_name()
        await seat.say(thread, f"{looking.mention(seat)} and what about {name}?")
        self.asked[(seat.name, thread)].append(name)
        return name

    # Looking

    def answer(self, name: str) -> list[str]:
        return answer_to(name, self.lengths.get(name, self.words))

    def expected(self, names: Sequence[str]) -> list[str]:
        return [word for name in names for word in self.answer(name)]

    def shown(self, seat: Seat, thread: str) -> list[str]:
        """The words of answers that stand there, those in files too."""
        return [word for text in looking.texts(seat, thread) for word in _WORD.findall(text)]

    def is_whole(self, platform: str, thread: str) -> bool:
        shown = self.shown(self.world.seats[platform], thread)
        if (platform, thread) not in self.retried:
            return shown == self.expected(self.order(platform, thread))
        by_name = {
            name: [word for word in shown if word.rstrip("0123456789") == name] for name in self.asked[platform, thread]
        }
        return all(words == self.answer(name) for name, words in by_name.items())

    def order(self, platform: str, thread: str) -> list[str]:
        """The order in which the questions of a thread are answered: as they were written, unless Slack delivered one of them
        again; then it is Slack that may have brought them in another order, and what is shown has to be one of those."""
        names = self.asked[(platform, thread)]
        if platform != "slack" or len(names) == 1 or all(one.attempts == 1 for one in self.world.slack.deliveries):
            return names
        first_words = [word[:-1] for word in self.shown(self.world.seats[platform], thread) if word.endswith("0")]
        seen = [name for name in dict.fromkeys(first_words) if name in names]
        return seen if len(seen) == len(names) else names

    def settled(self) -> bool:
        """Every thread shows all of its words and no button that waits for an end."""
        return all(
            self.is_whole(platform, thread) and not looking.buttons(self.world.seats[platform], thread)
            for platform, thread in self.asked
        )

    def times_asked(self, name: str) -> int:
        """How often Dify was asked and did not refuse."""
        requests = [request for request in self.world.dify.requests if request.ended is not Ended.REFUSED]
        return sum(name in _NAME.findall(request.query) for request in requests)

    async def pass_all(self, *, most_asks: int, asks: Mapping[str, int] | None = None, notes: bool = False) -> None:
        """Waits until every question is answered, lets the last bridge end, and fails if anything is not as promised."""
        on = self.world
        try:
            await on.until(self.settled, "every question is answered")
        except AssertionError:
            found = self.problems(most_asks=most_asks, asks=asks, notes=notes)
            pytest.fail("\n".join(["not all was answered in time:", *found, *on.last_words()]))
        # What is on its way a second time shall arrive while the bridge still listens.
        await on.slack.idle(20)
        await on.end_gently()
        found = self.problems(most_asks=most_asks, asks=asks, notes=notes)
        assert not found, "\n".join([*found, *on.last_words()])
        assert on.unfinished() == [], "\n".join(["answered, and not recorded as such", *on.last_words()])

    def problems(self, *, most_asks: int = 2, asks: Mapping[str, int] | None = None, notes: bool = False) -> list[str]:
        """Everything that is not as promised. `most_asks`: how often one question may have reached Dify (`asks`: of those for
        which it is another number); `notes`: lines of ours may stand beside the answers."""
        found = []
        for (platform, thread), names in self.asked.items():
            seat = self.world.seats[platform]
            texts = seat.answers(thread)
            if not self.is_whole(platform, thread):
                found.append(f"{platform} {thread}: {self._difference(seat, thread, names)}; reads {_shortened(texts)}")
            ours = [word for text in texts for word in text.split() if not _WORD.fullmatch(word)]
            if ours and not notes:
                found.append(f"{platform} {thread}: more than the answer: {' '.join(ours)!r}")
            if left := looking.buttons(seat, thread):
                found.append(f"{platform} {thread}: buttons are left: {left}")
            if looking.is_busy(seat, thread):
                found.append(f"{platform} {thread}: still shown as being worked on")
            for name in names:
                most = (asks or {}).get(name, most_asks)
                if not 1 <= (times := self.times_asked(name)) <= most:
                    found.append(f"{name}: Dify was asked {times} times, at most {most} are allowed")
        return found

    def _difference(self, seat: Seat, thread: str, names: Sequence[str]) -> str:
        shown, wanted = self.shown(seat, thread), self.expected(names)
        missing, extra = Counter(wanted) - Counter(shown), Counter(shown) - Counter(wanted)
        if not missing and not extra:
            return "the words are there in another order"
        return f"{missing.total()} words missing, {extra.total()} too many"


def _shortened(texts: Sequence[str]) -> list[str]:
    return [text if len(text) < 200 else f"{text[:60]} ... {text[-100:]}" for text in texts]
