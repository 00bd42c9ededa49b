"""What a question needs from around it before it can be asked: the files attached to it, and the thread that it stands in.

Whatever of that is not to be had is named to the member with the reason, and the question is asked without it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory

from bridge import logs
from bridge.backend_api import AcceptsFiles, Backend, FileRules, UploadedFile
from bridge.clock import Clock, within
from bridge.errors import BackendError, BackendUnreachable, FileTooLarge, NotAllowed, PlatformError
from bridge.markdown.characters import literally
from bridge.messages import AppName, AskedQuestion, Attachment, PlatformName, Said, Turn
from bridge.platform_api import FetchesFiles, Platform, ReadsThreads

_log = logs.get("surroundings")

_SKIPPED = "📎 {name} was left out: {why}"
_VOICE_SKIPPED = "🎙 The voice message was left out. {why}"
_VOICE_NOT_TAKEN = "🎙 I cannot listen to voice messages here. Please write your question."
_NO_FILES_HERE = "I cannot read files from here."
_NOT_TAKEN = "the app takes no files."
_WRONG_KIND = "the app takes no files of this kind."
_TOO_MANY = "the app takes at most {most} at once."
_TOO_LARGE = "it is larger than {most}."
_NOT_TO_BE_HAD = "it could not be read."
_NOT_UPLOADED = "the app did not take it."
_TOO_SLOW = "reading it took too long."
_NEVER = (_NO_FILES_HERE, _NOT_TAKEN, _WRONG_KIND)
"""Of voice messages there is nothing more to say then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurroundingLimits:
    largest_file: int = 25_000_000
    """Bytes of one file, whatever the app takes."""
    most_files: int = 10
    """With one question, whatever the app takes."""
    file_patience: timedelta = timedelta(seconds=60)
    """For fetching one file and handing it over."""
    thread_messages: int = 30
    """Of a thread in which the app is asked for the first time; 0: it is not read."""
    thread_patience: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOver:
    """The attached files, after they were taken to the backend."""

    files: tuple[UploadedFile, ...] = ()
    notes: tuple[str, ...] = ()
    """A line for each file that was left out (Markdown)."""
    spoken: str = ""
    """What was said in voice messages among them."""


class Surroundings:
    def __init__(
        self,
        *,
        platforms: Mapping[PlatformName, Platform],
        backends: Mapping[AppName, Backend],
        clock: Clock,
        limits: SurroundingLimits,
    ) -> None:
        self._platforms = platforms
        self._backends = backends
        self._clock = clock
        self._limits = limits

    async def hand_over(
        self, turn: Turn, asked: AskedQuestion, unheard: Mapping[Attachment, str] | None = None
    ) -> HandedOver:
        """Takes the attached files to the app, one after the other. `unheard`: voice messages among them that could not be turned
        into text, and why as far as there is a reason that helps.

        Raises `BackendUnreachable`: the question would not get through either, so nothing is left out for that.
        """
        if not asked.attachments:
            return HandedOver()
        platform, backend = self._platforms[turn.target.platform], self._backends[turn.app]
        unheard = unheard or {}
        if not isinstance(platform, FetchesFiles):
            return _leave_out(asked.attachments, _NO_FILES_HERE, unheard)
        if not isinstance(backend, AcceptsFiles):
            return _leave_out(asked.attachments, _NOT_TAKEN, unheard)
        try:
            rules = await backend.file_rules()
        except BackendUnreachable:
            raise
        except BackendError as error:
            _log.warning("file_rules_not_known", code=error.code, detail=str(error))
            return _leave_out(asked.attachments, _NOT_UPLOADED, unheard)
        handed: list[UploadedFile] = []
        notes: list[str] = []
        for file in asked.attachments:
            why = self._refuse(file, rules, len(handed))
            if why is None:
                taken = await self._take(turn, file, rules, platform, backend)
                if isinstance(taken, UploadedFile):
                    handed.append(taken)
                    continue
                why = taken
            notes.append(_note(file, why, unheard))
        return HandedOver(files=tuple(handed), notes=tuple(notes))

    def _refuse(self, file: Attachment, rules: FileRules, before: int) -> str | None:
        """Why it need not even be fetched."""
        if not rules.most:
            return _NOT_TAKEN
        kind = kind_of(file, rules)
        if kind is None:
            return _WRONG_KIND
        most = min(rules.most, self._limits.most_files)
        if before >= most:
            return _TOO_MANY.format(most=most)
        largest = self._largest(kind, rules)
        if file.size is not None and file.size > largest:
            return _TOO_LARGE.format(most=in_words(largest))
        return None

    def _largest(self, kind: str, rules: FileRules) -> int:
        return min(rules.largest.get(kind, self._limits.largest_file), self._limits.largest_file)

    async def _take(
        self, turn: Turn, file: Attachment, rules: FileRules, platform: FetchesFiles, backend: AcceptsFiles
    ) -> UploadedFile | str:
        """The file as the backend has it, or why not."""
        kind = kind_of(file, rules)
        if kind is None or not file.address:
            return _NOT_TO_BE_HAD
        most = self._largest(kind, rules)

        async def carry() -> UploadedFile:
            with TemporaryDirectory(prefix="bridge-file-") as folder:
                content = Path(folder) / "content"
                told = await platform.fetch_file(turn.target, file, content, most)
                return await backend.upload(content, file.name, file.media_type or told, kind, turn.backend_user)

        try:
            return await within(self._clock, self._limits.file_patience.total_seconds(), carry())
        except TimeoutError:
            _log.warning("file_too_slow")
            return _TOO_SLOW
        except FileTooLarge:
            return _TOO_LARGE.format(most=in_words(most))
        except NotAllowed as error:
            _log.warning("file_not_fetched", code=error.code, detail=str(error))
            return str(error) or _NOT_TO_BE_HAD
        except PlatformError as error:
            _log.warning("file_not_fetched", code=error.code, detail=str(error))
            return _NOT_TO_BE_HAD
        except BackendUnreachable:
            raise
        except BackendError as error:
            _log.warning("file_not_uploaded", code=error.code, detail=str(error))
            # What every such error says is about questions.
            return error.user_message if error.user_message != type(error).user_message else _NOT_UPLOADED
        except OSError as error:
            _log.error("file_not_kept", detail=str(error), fix="look whether the folder for temporary files is full")
            return _NOT_TO_BE_HAD

    async def thread(self, turn: Turn, asked: AskedQuestion) -> Sequence[Said]:
        """What was said above a question in whose thread the app has not been asked before."""
        platform = self._platforms[turn.target.platform]
        if not asked.in_thread or not self._limits.thread_messages or not isinstance(platform, ReadsThreads):
            return ()
        before = None if asked.unseen else asked.ref
        reading = platform.read_thread(turn.target, before, self._limits.thread_messages)
        try:
            return await within(self._clock, self._limits.thread_patience.total_seconds(), reading)
        except (PlatformError, TimeoutError) as error:
            # It helps, and the question can be asked without it.
            _log.warning("thread_not_read", detail=str(error))
            return ()


def kind_of(file: Attachment, rules: FileRules) -> str | None:
    """What the app calls such a file; None where it takes none of these."""
    suffix = PurePath(file.name).suffix.removeprefix(".").lower()
    media_type = file.media_type.partition(";")[0].strip().lower()
    found = (
        rules.kinds.get(suffix)
        or rules.media_types.get(media_type)
        or rules.media_types.get(media_type.partition("/")[0])
    )
    return found if found is not None and (not rules.largest or found in rules.largest) else None


def in_words(size: int) -> str:
    """`15 MB`; as the platforms count, in millions."""
    return f"{size / 1_000_000:.3g} MB" if size >= 1_000_000 else f"{max(size // 1_000, 1)} kB"


def _note(file: Attachment, why: str, unheard: Mapping[Attachment, str]) -> str:
    if not file.is_voice:
        return _SKIPPED.format(name=literally(file.name), why=why)
    heard = unheard.get(file) or why
    return _VOICE_NOT_TAKEN if heard in _NEVER else _VOICE_SKIPPED.format(why=heard[:1].upper() + heard[1:])


def _leave_out(files: Sequence[Attachment], why: str, unheard: Mapping[Attachment, str]) -> HandedOver:
    return HandedOver(notes=tuple(_note(file, why, unheard) for file in files))
