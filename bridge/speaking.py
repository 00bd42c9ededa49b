"""Reads answers aloud, where somebody wants it and their app can: as a file below the answer.

Nobody waits for it, so it is done after the platform was acknowledged, by one task. Each answer is read once, whoever wants it.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from bridge import logs
from bridge.archive import Archive, Utterance
from bridge.backend_api import Backend
from bridge.clock import Clock, within
from bridge.decisions import Speak
from bridge.errors import BackendError, PlatformError, RateLimited, StoreUnavailable
from bridge.messages import AppName, OutgoingMessage, PlatformName
from bridge.notices import Notices
from bridge.outgoing_files import OutgoingFile
from bridge.pacing import Pacer, Urgency
from bridge.past_api import Speaks, Speech
from bridge.platform_api import Platform, SendsFiles

_log = logs.get("speaking")

SPOKEN = "🔊 The answer, read aloud"
NOT_SPOKEN = "The answer could not be read aloud just now. {why}"
NOT_SENT = "The answer was read aloud, but the file cannot be shown here."

_SUFFIXES = {
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/ogg": "ogg",
    "audio/aac": "aac",
    "audio/flac": "flac",
    "audio/mp4": "m4a",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakLimits:
    largest: int = 8_000_000
    """Bytes of one recording. Discord takes 10 MB where nobody paid for more."""
    patience: timedelta = timedelta(seconds=90)
    """How long an app may take to read it."""
    most_waiting: int = 50
    tries: int = 3
    """Of posting it, where the platform says that it is busy."""


class Speaker:
    def __init__(
        self,
        *,
        archive: Archive,
        platforms: Mapping[PlatformName, Platform],
        backends: Mapping[AppName, Backend],
        notices: Notices,
        pacer: Pacer,
        clock: Clock,
        limits: SpeakLimits | None = None,
    ) -> None:
        self._archive = archive
        self._platforms = platforms
        self._backends = backends
        self._notices = notices
        self._pacer = pacer
        self._clock = clock
        self._limits = limits or SpeakLimits()
        self._waiting: deque[Speak] = deque()
        self._news = asyncio.Event()

    def note(self, wanted: Speak) -> None:
        """Never blocks; may be called before `run`."""
        if len(self._waiting) >= self._limits.most_waiting:
            _log.warning("speech_dropped", platform=wanted.answer.platform, why="too many wait")
            return
        self._waiting.append(wanted)
        self._news.set()

    async def run(self) -> None:
        """Works until cancelled. What waits then is dropped; who wants it still says so again."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                try:
                    await self._speak(self._waiting.popleft())
                except StoreUnavailable as error:
                    _log.warning("store_unavailable", doing="speak", detail=str(error))

    async def _speak(self, wanted: Speak) -> None:
        platform = self._platforms.get(wanted.answer.platform)
        if platform is None or not isinstance(platform, SendsFiles):
            return
        utterance = await self._archive.begin_speaking(wanted.event_id, wanted.answer)
        if utterance is None:
            _log.debug("not_spoken", event_id=wanted.event_id, reason="no whole answer, or read aloud before")
            return
        done = False
        try:
            done = await self._read_aloud(platform, utterance)
        finally:
            if done:
                await self._archive.spoken(utterance)
            else:
                await self._archive.not_spoken(utterance)

    async def _read_aloud(self, platform: SendsFiles, utterance: Utterance) -> bool:
        backend = self._backends.get(utterance.app)
        if backend is None or not isinstance(backend, Speaks):
            return False
        try:
            # An emoji may mean anything where the app has no voice, so nothing is said then.
            if not await backend.speaks():
                _log.debug("not_spoken", answer=utterance.answer, reason="the app has no voice")
                return False
            speech = await within(
                self._clock,
                self._limits.patience.total_seconds(),
                backend.speak(utterance.ids, utterance.text, utterance.user, self._limits.largest),
            )
        except BackendError as error:
            _log.warning("not_spoken", answer=utterance.answer, code=error.code, detail=str(error))
            self._apologise(utterance, NOT_SPOKEN.format(why=error.user_message))
            return False
        except TimeoutError:
            _log.warning("not_spoken", answer=utterance.answer, code="timeout", detail="no answer in time")
            self._apologise(utterance, NOT_SPOKEN.format(why="The app took too long."))
            return False
        return await self._send(platform, utterance, speech)

    async def _send(self, platform: SendsFiles, utterance: Utterance, speech: Speech) -> bool:
        message = OutgoingMessage(text=SPOKEN, nonce=f"spoken{utterance.answer}")
        suffix = _SUFFIXES.get(speech.media_type, "mp3")
        file = OutgoingFile(name=f"answer.{suffix}", content=speech.content, media_type=speech.media_type)
        target = utterance.target
        for _ in range(self._limits.tries):
            with self._pacer.answering(target, self._platforms[target.platform].capabilities) as pace:
                while (wait := pace.delay("post", Urgency.FIRST)) > 0:
                    await self._clock.sleep(wait)
                pace.take("post", Urgency.FIRST)
                try:
                    await platform.send_file(target, message, file)
                except RateLimited as error:
                    pace.penalise("post", error.retry_after.total_seconds())
                    continue
                except PlatformError as error:
                    _log.warning("speech_not_sent", answer=utterance.answer, code=error.code, detail=str(error))
                    self._apologise(utterance, NOT_SENT)
                    return False
            _log.info("spoken", answer=utterance.answer, bytes=len(speech.content), media_type=speech.media_type)
            return True
        return False

    def _apologise(self, utterance: Utterance, text: str) -> None:
        self._notices.tell(utterance.target, text, about=f"speak {utterance.answer}")
