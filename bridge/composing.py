"""What the messages of one answer should say: the text cut to fit, our own lines below it, and a file for what is too much.

Pure. Nothing is sent here; of what was sent, two facts matter and are told by who sends: `announced` and `attached`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.drafts import STATUS_MARK
from bridge.markdown.characters import clean, literally
from bridge.markdown.dialect import Dialect, People
from bridge.markdown.repair import close, mend
from bridge.outgoing_files import OutgoingFile
from bridge.splitting import Splitter, split

WRITING = "📄 This answer is long. I am writing the rest of it to a file, which comes when it is complete."
ATTACHED = "📄 The rest of this answer ({count} characters) is in the attached file."
INVISIBLE = "(The app's answer has nothing in it that can be shown here.)"
"""Of a text that renders to nothing, such as a lone link definition."""
MADE = "📎 The app answered with a file."
MADE_SEVERAL = "📎 The app answered with {count} files."
"""Of an answer without a word; buttons stand below it."""
FILE_COMMENT = "📄 This is the rest of the answer above."

NOT_TAKEN = "📎 The app made a file, {name}, which could not be sent here."

WITHDRAWN = "(This part was withdrawn.)"
"""Shown in a message that a shorter replacing text no longer needs. Messages are never deleted: people may have replied."""

FILE_NAME = "answer.md"
FILE_TYPE = "text/markdown; charset=utf-8"

LEAST_LIMIT = 200
"""Messages that are cut smaller than this are of no use to anybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of an answer as it should stand now."""

    text: str
    """Markdown, exactly as the dialect was given it before, so that it is remembered. White space at its end means nothing."""
    file: OutgoingFile | None = None
    """Is posted with the message; the text alone may change later."""
    announces: bool = False
    """Stands where the text that will be in a file begins."""
    made_by_app: bool = False
    """The file is no part of the text."""


class Composer:
    """Composes one answer, again and again while it grows."""

    def __init__(self, dialect: Dialect, people: People, *, most_messages: int | None) -> None:
        """`most_messages`: how many messages show text before the rest goes into a file; None for no file ever."""
        self._dialect = dialect
        self._people = people
        self._most = most_messages
        self._splitter = Splitter(dialect, people)
        self._fed = ""
        self._unwanted: set[OutgoingFile] = set()
        """Files that the platform does not take."""
        self.announced = False
        """The announcing message stands, or may stand."""
        self.attached = False
        """The file stands."""

    @property
    def limit(self) -> int:
        return self._dialect.limit

    def work(self, text: str) -> int:
        """Characters that `compose` would have to look at for `text`."""
        return self._splitter.waiting + len(text) - len(self._fed) if text.startswith(self._fed) else len(text)

    def compose(
        self, text: str, notes: Sequence[str], *, ended: bool, complete: bool, files: Sequence[OutgoingFile] = ()
    ) -> list[Message]:
        """All messages of the answer so far. `notes` (Markdown) and `files` are shown when it has ended; an answer that ended but
        is not `complete` shows nothing half written. A message that is not the last one never changes while `text` only grows."""
        wanted = [file for file in files if file not in self._unwanted]
        notes = (*notes, *(NOT_TAKEN.format(name=literally(file.name)) for file in files if file in self._unwanted))
        made = [Message(text=f"📎 {literally(file.name)}", file=file, made_by_app=True) for file in wanted]
        said = self._compose(text, notes, ended=ended, complete=complete)
        if made and (not said or said[0].text == INVISIBLE):
            said = [Message(text=MADE if len(made) == 1 else MADE_SEVERAL.format(count=len(made)))]
        return [*said, *made]

    def _compose(self, text: str, notes: Sequence[str], *, ended: bool, complete: bool) -> list[Message]:
        parts = self._splitter.feed(text, final=ended)
        self._fed = text
        # What is left over at the end may fit in one more message; then that is shown instead of a file.
        if self._most is not None and len(parts) > self._most + (1 if ended else 0):
            return self._with_file(parts[: self._most], notes, ended=ended)
        if ended and parts and not complete:
            # Rendered to nothing, it would be refused.
            last = mend(parts[-1])
            parts[-1:] = [last] if self._dialect.render(last, self._people).text.strip() else []
        if ended and text.strip() and not parts and not notes:
            return [Message(text=INVISIBLE)]
        return [Message(text=one) for one in (self._add_notes(parts, notes) if ended else parts)]

    def keep(self, texts: Sequence[str | None], notes: Sequence[str], *, apart: bool) -> list[Message]:
        """Messages that stand already, with notes below the last one, or in a message of their own (`apart`). Notes that stand
        there too are not written twice. None: nobody can tell what it says; it is left as it is, without a text."""
        kept = [text or "" for text in texts]
        new = [note for note in notes if not any(note in text for text in kept[-1:])]
        if texts and texts[0] is not None and (not kept[0].strip() or kept[0].startswith(STATUS_MARK)):
            # It was waiting for an answer that did not come; what stands below it was to be replaced by that.
            kept.clear()
        if new and kept and kept[-1].strip() and not apart:
            kept = self._add_notes([*kept[:-1], close(kept[-1])], new)
        elif new:
            kept += self._add_notes([], new)
        return [Message(text=one) for one in kept]

    def cut(self) -> None:
        """The message that is growing has to end: what comes now goes into another one."""
        self._splitter.cut()

    def shrink(self) -> bool:
        """Cuts half as large from now on. False: that would be too small, and nothing changed."""
        if self.limit // 2 < LEAST_LIMIT:
            return False
        self._dialect = self._dialect.within(self.limit // 2)
        self._splitter = Splitter(self._dialect, self._people)
        self._fed = ""
        return True

    def refuse_files(self) -> None:
        """All of the text goes into messages from now on."""
        self._most = None

    def refuse_file(self, file: OutgoingFile) -> None:
        """A note stands for this one from now on."""
        self._unwanted.add(file)

    def _with_file(self, parts: Sequence[str], notes: Sequence[str], *, ended: bool) -> list[Message]:
        shown = [Message(text=part) for part in parts]
        writing = Message(text=WRITING, announces=True)
        if not ended:
            return [*shown, writing]
        rest = clean(self._splitter.behind(len(parts)))
        file = OutgoingFile(name=FILE_NAME, content=rest.encode(), media_type=FILE_TYPE)
        said, *more = self._add_notes([ATTACHED.format(count=f"{len(rest):,}")], notes)
        further = [Message(text=one) for one in more]
        if not self.announced:
            return [*shown, Message(text=said, file=file), *further]
        # Nobody should read of a file that is not there yet.
        about = Message(text=said, announces=True) if self.attached else writing
        return [*shown, about, Message(text=FILE_COMMENT, file=file), *further]

    def _add_notes(self, texts: list[str], notes: Sequence[str]) -> list[str]:
        """`texts`, which are complete, and the notes: below the last one, or in a message of their own where there is no room."""
        if not notes:
            return texts
        below = "\n\n".join(notes)
        if texts:
            both = f"{texts[-1].rstrip()}\n\n{below}"
            if self._dialect.render(both, self._people).length <= self.limit:
                return [*texts[:-1], both]
        return texts + split(below, self._dialect, self._people)
