"""What an answer's messages should say against what stands of them: the next write, if there is one. Nothing is sent here."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from bridge.composing import WITHDRAWN, Message
from bridge.drafts import STATUS_MARK, AnswerDraft
from bridge.messages import MessageRef, PartRole
from bridge.presenting import Presenter, Trimmings, first_step
from bridge.standing import Standing, StandingMessage

_WITHDRAWN = Message(text=WITHDRAWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    part: int
    nonce: str
    message: Message
    ref: MessageRef | None = None
    """None: a new message."""
    trimmings: Trimmings = field(default_factory=Trimmings)
    first_step: int = 0

    @property
    def role(self) -> PartRole:
        if self.message.file is not None:
            return PartRole.PRODUCED if self.message.made_by_app else PartRole.FILE
        return PartRole.ANNOUNCEMENT if self.message.announces else PartRole.TEXT


class Outstanding:
    """Of one answer, as long as one writer shows it."""

    def __init__(self, standing: Standing, presenter: Presenter, seed: str) -> None:
        """`seed`: what nonces are made of, another one for each answer."""
        self._standing = standing
        self._presenter = presenter
        self._seed = seed
        self._ended_early: set[int] = set()
        """Messages that had grown for as long as they may before the answer ended."""

    @property
    def _shown(self) -> list[StandingMessage]:
        return self._standing.messages

    def carries_rest(self) -> bool:
        """Whether the file with the rest of this answer's text stands; that of an earlier answer to the question is another."""
        return any(shown.nonce == self._nonce("file") for shown in self._standing.all())

    def is_silent(self) -> bool:
        """Whether the first message says nothing yet and may go on growing."""
        return bool(self._shown) and not (self._shown[0].text or "").strip() and 0 not in self._ended_early

    def end_spent(self) -> bool:
        """Whether the last message has grown for as long as it may, which is told once: what comes now goes into another one."""
        number = len(self._shown) - 1
        if number < 0 or number in self._ended_early or not self._presenter.is_spent(self._shown[number].ref):
            return False
        self._ended_early.add(number)
        return True

    def find(self, draft: AnswerDraft, messages: Sequence[Message], *, ended: bool) -> Write | None:
        """`messages`: all of the answer, as they should stand now."""
        placed = self._place(messages) if ended else messages
        said = [
            number for number, one in enumerate(placed) if not one.made_by_app and not (ended and one is _WITHDRAWN)
        ]
        for number, message in enumerate(placed):
            shown = self._shown[number] if number < len(self._shown) else None
            trimmings = self._trim(draft, number, message, last=said[-1:] == [number], ended=ended)
            nonce = self._nonce_of(message, number)
            if shown is None:
                first = self._first_step(draft)
                return Write(part=number, nonce=nonce, message=message, trimmings=trimmings, first_step=first)
            if draft.standing and not message.text:
                continue  # nobody could tell what it says
            around = shown.trimmings and self._presenter.as_it_stands(shown.trimmings, shown.ref)
            if around != trimmings or shown.text is None or shown.text.rstrip() != message.text.rstrip():
                return Write(part=number, nonce=nonce, message=message, ref=shown.ref, trimmings=trimmings)
        return None

    def _place(self, messages: Sequence[Message]) -> list[Message]:
        """Nothing that stands is left as it is, and no file is taken for one that stands already: a message can be given another
        text, but never another file."""
        # A post of unknown outcome may stand too; posted once more under its nonce, it is found.
        standing = max(len(self._shown), self._standing.doubtful)
        placed: list[Message] = []
        for message in messages:
            while message.file is not None and len(placed) < standing and not self._stands(message, len(placed)):
                placed.append(_WITHDRAWN)
            placed.append(message)
        return placed + [_WITHDRAWN] * (standing - len(placed))

    def _stands(self, message: Message, number: int) -> bool:
        return number < len(self._shown) and self._shown[number].nonce == self._nonce_of(message, number)

    def _trim(self, draft: AnswerDraft, number: int, message: Message, *, last: bool, ended: bool) -> Trimmings:
        if message.made_by_app:
            return Trimmings()
        shown = self._shown[number] if number < len(self._shown) else None
        if shown is None:
            steps = draft.steps[self._first_step(draft) :]
        else:
            steps = draft.steps[shown.first_step :] if last or shown.trimmings is None else shown.trimmings.steps
        words = not message.text.startswith(STATUS_MARK) and number not in self._ended_early
        ref = shown.ref if shown else None
        return self._presenter.trim(draft, last=last, ended=ended, words=words, ref=ref, steps=steps)

    def _first_step(self, draft: AnswerDraft) -> int:
        return first_step(draft.steps) if self._shown else 0

    def _nonce_of(self, message: Message, number: int) -> str:
        # One of its own for a file: a platform that knows it already would answer with the message that has no file.
        return self._nonce(f"made{number}" if message.made_by_app else "file" if message.file else number)

    def _nonce(self, part: int | str) -> str:
        return hashlib.blake2b(f"{self._seed}:{part}".encode(), digest_size=12).hexdigest()
