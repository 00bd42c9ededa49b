"""Has Dify turn a member's recording into text. It is handed over under the one name that is true of it, for a model that is told
the wrong kind hears noise; what Dify does not take is made another kind of before, where that is possible (`transcoding`)."""

import asyncio
from pathlib import Path

from bridge import logs
from bridge.backends.dify.errors import NO_SPEECH_MODEL_FIX, explain_refusal
from bridge.backends.dify.lacking import is_absent
from bridge.backends.dify.sending import FileSender
from bridge.backends.dify.sentences import (
    HEARS_NOTHING,
    NO_SPEECH_MODEL,
    RECORDING_EMPTY,
    RECORDING_REFUSED,
    RECORDING_TOO_LARGE,
    SPEECH_FAILED,
    refuse_recording,
)
from bridge.backends.dify.sounds import ENOUGH, FLAC, MP3, OGG, TAKEN, Sound, recognise
from bridge.backends.dify.transcoding import NotTranscoded, RecordingTooLong, can_transcode, transcode
from bridge.errors import BackendError, BackendFailed, BackendMisconfigured, QuestionRefused
from bridge.messages import BackendUser
from bridge.remote.framing import text_of
from bridge.remote.refusing import Refusal

# FILE_SIZE of Dify's audio service, the same in every version and no setting of it.
MOST_BYTES = 30 * 1024 * 1024

TEXT_BYTES = 1024 * 1024
"""Of a reply. What is said in some hours, with every letter escaped."""

# The last two are also what the whole app says; here it is about the model for speech, which is chosen elsewhere.
_NO_MODEL = ("provider_not_support_speech_to_text", "provider_not_initialize", "model_currently_not_support")


TURN_SECONDS = 30.0
"""For making one kind of sound from another: half an hour of speech takes some ten."""

_TURNED = (OGG, FLAC)

log = logs.get("dify")


class Hearer:
    def __init__(self, sender: FileSender) -> None:
        self._sender = sender

    async def transcribe(self, path: Path, name: str, media_type: str, user: BackendUser) -> str:
        """As `Transcribes.transcribe`."""
        size, beginning = await asyncio.to_thread(_look_into, path)
        if not size:
            raise QuestionRefused("the recording has no bytes", code="empty_recording", user_message=RECORDING_EMPTY)
        if size > MOST_BYTES:
            raise QuestionRefused(
                f"the recording has {size} bytes", code="audio_too_large", user_message=RECORDING_TOO_LARGE
            )
        sound = recognise(beginning, media_type, name)
        if sound is None:
            raise _wrong_kind("no recording of a kind that is known", "")
        if sound in _TURNED and can_transcode():
            made = path.with_name(f"{path.name}.{MP3.extension}")
            try:
                return await self._ask(*await self._turn(path, made, sound), user)
            finally:
                await asyncio.to_thread(made.unlink, missing_ok=True)
        return await self._ask(path, sound, user)

    async def _turn(self, path: Path, made: Path, sound: Sound) -> tuple[Path, Sound]:
        """What cannot be turned is handed over as it is; Dify then says what it takes."""
        try:
            await transcode(path, made, TURN_SECONDS)
        except RecordingTooLong as error:
            raise QuestionRefused(str(error), code="audio_too_large", user_message=RECORDING_TOO_LARGE) from error
        except (NotTranscoded, OSError) as error:
            log.warning("recording_not_turned", kind=sound.name, detail=str(error))
            return path, sound
        size, _ = await asyncio.to_thread(_look_into, made)
        return (made, MP3) if 0 < size <= MOST_BYTES else (path, sound)

    async def _ask(self, path: Path, sound: Sound, user: BackendUser) -> str:
        reply = await self._sender.send(
            "/audio-to-text",
            path,
            name=f"recording.{sound.extension}",
            media_type=sound.media_type,
            user=user,
            max_bytes=TEXT_BYTES,
        )
        if reply.status != 200:
            raise _explain_refused_recording(reply, sound)
        if not isinstance(reply.read().get("text"), str):
            raise BackendFailed("the reply to a recording has no text", code="no_text", user_message=SPEECH_FAILED)
        return text_of(reply.read(), "text").strip()


def _look_into(path: Path) -> tuple[int, bytes]:
    with path.open("rb") as opened:
        return path.stat().st_size, opened.read(ENOUGH)


def _wrong_kind(detail: str, kind: str) -> QuestionRefused:
    return QuestionRefused(detail, code="unsupported_audio_type", user_message=refuse_recording(kind, TAKEN))


def _explain_refused_recording(reply: Refusal, sound: Sound) -> BackendError:
    """What only this recording is to blame for brings its sentence; what may pass can be tried again."""
    error = explain_refusal(reply)
    code = text_of(reply.read(), "code")
    words = text_of(reply.read(), "message").lower()
    if reply.status == 413:
        # Dify's own limit, or that of a proxy in front of it, which may be lower.
        return QuestionRefused(str(error), code=code or "audio_too_large", user_message=RECORDING_TOO_LARGE)
    if code == "unsupported_audio_type":
        return _wrong_kind(str(error), sound.name)
    switched_off = code == "invalid_param" and "speech to text is not enabled" in words
    if is_absent(reply) or switched_off or code == "speech_to_text_disabled":
        # Switched off since the parameters were read, or never there.
        return QuestionRefused(str(error), code="speech_to_text_disabled", user_message=HEARS_NOTHING)
    if code in _NO_MODEL:
        return BackendMisconfigured(str(error), code=code, user_message=NO_SPEECH_MODEL, fix=NO_SPEECH_MODEL_FIX)
    if isinstance(error, QuestionRefused):
        return QuestionRefused(str(error), code=error.code, user_message=RECORDING_REFUSED)
    if code == "completion_request_error" and error.user_message == type(error).user_message:
        error.user_message = SPEECH_FAILED
    return error
