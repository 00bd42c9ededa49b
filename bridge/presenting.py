"""What stands around the text of an answer's messages: buttons, steps, sources, and whether more text will come. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bridge.drafts import STATUS_MARK, AnswerDraft
from bridge.markdown.characters import in_one_line, literally
from bridge.messages import Button, ButtonAction, MessageRef, ReplyTarget, Step, StepState
from bridge.platform_api import Platform, PlatformCapabilities, StreamsNatively

STOP = Button(action=ButtonAction.STOP, label="Stop")
RETRY = Button(action=ButtonAction.RETRY, label="Try again")
AGAIN = Button(action=ButtonAction.AGAIN, label="Regenerate")
RATE = (Button(action=ButtonAction.LIKE, label="Good answer"), Button(action=ButtonAction.DISLIKE, label="Bad answer"))

LONGEST_LABEL = 75
"""Characters of a suggested question that its button shows."""
LONGEST_QUESTION = 2_000
"""Characters of a question that a button can carry; a longer one is not offered."""

DOING = f"{STATUS_MARK} {{title}}…"
SOURCES = "📚 {names}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trimmings:
    """As of `OutgoingMessage`."""

    buttons: tuple[Button, ...] = ()
    live: bool = False
    steps: tuple[Step, ...] = ()
    sources: tuple[str, ...] = ()


class Presenter:
    """For one answer in one place."""

    def __init__(self, platform: Platform, target: ReplyTarget) -> None:
        self._platform = platform
        self._target = target
        self._native = platform if isinstance(platform, StreamsNatively) else None
        self._refused = False

    @property
    def _can(self) -> PlatformCapabilities:
        return self._platform.capabilities

    def grows(self, ref: MessageRef) -> bool:
        return self._native is not None and self._native.is_growing(ref)

    def is_spent(self, ref: MessageRef) -> bool:
        return self._native is not None and self._native.is_spent(ref)

    def refuse_silence(self) -> None:
        """The platform did not take a message that has steps and no words yet."""
        self._refused = True

    def may_grow(self) -> bool:
        """A first message would grow natively, as far as is known."""
        return self._native is not None and not self._refused and self._native.may_grow(self._target)

    def line(self, draft: AnswerDraft, first: MessageRef | None, *, silent: bool, quiet: bool) -> str | None:
        """What stands for an answer that has no text yet, "" where its steps speak for themselves; None: nothing. `first`: its
        first message, if it stands; `silent`: that has steps alone, and room for more. `quiet`: it has been long enough for a
        line of words."""
        if first is not None and silent and self.grows(first):
            return ""
        if draft.status:
            return draft.status
        if first is None and self._can.steps and draft.steps and self.may_grow():
            return ""
        return DOING.format(title=literally(draft.doing)) if quiet and draft.doing else None

    def notes(self, draft: AnswerDraft) -> Sequence[str]:
        """Our own lines below the whole text."""
        sources = draft.extras.sources
        if not sources or self._can.sources:
            return draft.notes
        return (SOURCES.format(names=" · ".join(literally(name) for name in sources)), *draft.notes)

    def trim(
        self, draft: AnswerDraft, *, last: bool, ended: bool, words: bool, ref: MessageRef | None, steps: Sequence[Step]
    ) -> Trimmings:
        """Around one message. `last`: no text stands behind it. `words`: it shows the answer, or will, and no status. `steps`:
        those that belong to it."""
        if ended:
            return Trimmings(
                buttons=self._at_the_end(draft) if last else (),
                sources=draft.extras.sources if last and self._can.sources else (),
                steps=self._shown_steps(steps, ref),
            )
        live = last and words and (self._native is not None if ref is None else self.grows(ref))
        return Trimmings(
            buttons=(*draft.asks, STOP) if last and self._can.buttons else (),
            live=live,
            steps=self._shown_steps(steps, ref),
        )

    def as_it_stands(self, trimmings: Trimmings, ref: MessageRef) -> Trimmings:
        """What of it is seen: a message that does not grow (any more) shows no steps, and needs no end."""
        return trimmings if self.grows(ref) else replace(trimmings, live=False, steps=())

    def _shown_steps(self, steps: Sequence[Step], ref: MessageRef | None) -> tuple[Step, ...]:
        if not self._can.steps:
            return ()
        return tuple(steps) if (self._native is not None if ref is None else self.grows(ref)) else ()

    def _at_the_end(self, draft: AnswerDraft) -> tuple[Button, ...]:
        if not self._can.buttons:
            return ()
        if draft.rests:
            return (*draft.asks, STOP)
        extras = draft.extras
        asked = [one for one in extras.suggestions if one.strip() and len(one) <= LONGEST_QUESTION]
        return (
            *(RATE if extras.may_rate and self._can.rating_buttons else ()),
            *(
                Button(action=ButtonAction.ASK, label=in_one_line(one, LONGEST_LABEL), value=one)
                for one in asked[: self._can.question_buttons]
            ),
            *((RETRY,) if extras.may_retry else (AGAIN,) if extras.may_renew and self._can.again_button else ()),
        )


def first_step(steps: Sequence[Step]) -> int:
    """The number of the first step of a further message: it begins with what is still being done."""
    running = [number for number, step in enumerate(steps) if step.state is StepState.RUNNING]
    return running[0] if running else len(steps)
