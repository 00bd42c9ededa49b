"""Voice messages: what was said in them becomes the question's words, where the app turns speech into text.

What cannot be heard for good goes the way of files; what could not be heard just now ends the turn, to be tried again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from bridge import logs
from bridge.backend_api import Backend, Transcribes
from bridge.clock import Clock, within
from bridge.errors import (
    BackendBusy,
    BackendError,
    BackendMisconfigured,
    BackendUnreachable,
    FileTooLarge,
    NotAllowed,
    NotHeard,
    PlatformError,
)
from bridge.messages import AppName, Attachment, PlatformName, Turn
from bridge.platform_api import FetchesFiles, Platform

_log = logs.get("transcribing")

NO_WORDS = "No words could be made out in it."
_TOO_LARGE = "It is too long."


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    words: str = ""
    """Of all recordings, in their order; empty where nothing was made out."""
    unheard: Mapping[Attachment, str] = field(default_factory=dict)
    """Recordings that are left, and why (a sentence); "" where the app does not listen at all."""


class Transcriber:
    def __init__(
        self,
        *,
        platforms: Mapping[PlatformName, Platform],
        backends: Mapping[AppName, Backend],
        clock: Clock,
        largest: int,
        patience: timedelta,
    ) -> None:
        """`largest`: bytes of one recording; `patience`: for fetching it and having it heard."""
        self._platforms = platforms
        self._backends = backends
        self._clock = clock
        self._largest = largest
        self._patience = patience.total_seconds()

    async def listen(self, turn: Turn, recordings: Sequence[Attachment]) -> Heard:
        """Raises `BackendError`: `NotHeard` when trying again may help, or what would meet the question just the same."""
        platform, backend = self._platforms[turn.target.platform], self._backends[turn.app]
        if not (
            recordings
            and isinstance(platform, FetchesFiles)
            and isinstance(backend, Transcribes)
            and await self._listens(backend)
        ):
            return Heard(unheard=dict.fromkeys(recordings, ""))
        words: list[str] = []
        unheard: dict[Attachment, str] = {}
        for recording in recordings:
            try:
                heard = await self._hear(turn, recording, platform, backend)
            except _Unfit as error:
                unheard[recording] = str(error)
            else:
                words.append(heard)
        return Heard(words="\n\n".join(words), unheard=unheard)

    async def _listens(self, backend: Transcribes) -> bool:
        try:
            return await backend.transcribes()
        except BackendUnreachable:
            raise
        except BackendError as error:
            _log.warning("speech_not_known", code=error.code, detail=str(error))
            return False

    async def _hear(self, turn: Turn, recording: Attachment, platform: FetchesFiles, backend: Transcribes) -> str:
        async def carry() -> str:
            with TemporaryDirectory(prefix="bridge-voice-") as folder:
                content = Path(folder) / "content"
                told = await platform.fetch_file(turn.target, recording, content, self._largest)
                media_type = recording.media_type or told
                return await backend.transcribe(content, recording.name, media_type, turn.backend_user)

        try:
            words = (await within(self._clock, self._patience, carry())).strip()
        except TimeoutError as error:
            raise NotHeard("it took too long", code="timeout") from error
        except FileTooLarge as error:
            raise _Unfit(_TOO_LARGE) from error
        except NotAllowed as error:
            _log.warning("recording_not_fetched", code=error.code, detail=str(error))
            raise _Unfit(str(error)) from error
        except PlatformError as error:
            raise NotHeard(str(error), code=error.code) from error
        except OSError as error:
            _log.error(
                "recording_not_kept", detail=str(error), fix="look whether the folder for temporary files is full"
            )
            raise NotHeard(str(error), code="no_room") from error
        except (BackendUnreachable, BackendBusy, BackendMisconfigured):
            raise
        except BackendError as error:
            # What the class says is about questions.
            own = error.user_message if error.user_message != type(error).user_message else ""
            if error.may_retry:
                raise NotHeard(str(error), code=error.code, user_message=own) from error
            _log.warning("recording_refused", code=error.code, detail=str(error))
            raise _Unfit(own) from error
        if not words:
            raise _Unfit(NO_WORDS)
        return words


class _Unfit(Exception):
    """This recording will never be heard; says why, if that is known."""
