"""Recordings at the stand-in Dify. It listens to nothing: what was said in one is set beforehand (`Features.heard`)."""

from aiohttp import web

from bridge.playground.dify.chat import is_uuid, read_body, read_user
from bridge.playground.dify.files_api import DEFAULT_USER, read_form, refuse_missing_part
from bridge.playground.dify.records import Recording, SpeechCall
from bridge.playground.dify.state import DifyState

# Both from the source. The media type alone decides, and it must be spelled like this: "audio/mpeg" is known to old ones only.
_OLD_TYPES = frozenset({"mp3", "mp4", "mpeg", "mpga", "m4a", "wav", "webm", "amr"})
_TYPES = frozenset({"mp3", "m4a", "wav", "amr", "mpga"})

MOST_BYTES = 30 * 1024 * 1024
"""Not a setting of the real one either."""


async def transcribe(state: DifyState, request: web.Request) -> web.Response:
    """In any kind of app, and in the order in which the real one looks for what is wrong."""
    fields, files = await read_form(request)
    if not files:
        raise refuse_missing_part(state)
    name, told, content = files[0]
    if not state.features.hears:
        raise state.dialect.refuse_param("Speech to text is not enabled")
    media_type = told.partition(";")[0].strip().lower()
    types = _OLD_TYPES if state.dialect.is_old else _TYPES
    if media_type not in {f"audio/{one}" for one in types}:
        raise state.dialect.refuse(415, "unsupported_audio_type", "Audio type not allowed.")
    if len(content) > MOST_BYTES:
        raise state.dialect.refuse(413, "audio_too_large", "Audio size larger than 30 mb")
    if not state.features.speech_model:
        raise state.dialect.refuse(400, "provider_not_initialize", "Default model not found for speech2text")
    await state.clock.sleep(state.features.hear_seconds)
    state.recordings.append(
        Recording(
            user=fields.get("user") or DEFAULT_USER,
            name=name,
            media_type=media_type,
            content=content,
            text=state.features.heard,
        )
    )
    state.changed()
    return state.dialect.reply({"text": state.features.heard})


async def speak(state: DifyState, request: web.Request) -> web.Response:
    """A message that is not there, or says nothing, gives `null` with status 200 (from the source, as all of this)."""
    body = await read_body(state, request)
    user = read_user(state, body)
    if not state.features.speaks:
        raise state.dialect.refuse_param("TTS is not enabled")
    if not state.features.speech_model:
        raise state.dialect.refuse(400, "provider_not_initialize", "Default model not found for tts")
    text = body.get("text")
    ident = body.get("message_id")
    if isinstance(ident, str) and ident:
        if not is_uuid(ident):
            return web.json_response(None)
        found = [
            message.answer
            for conversation in state.conversations.values()
            for message in conversation.messages
            if message.id == ident
        ]
        text = next(iter(found), "")
        if not text:
            return web.json_response(None)
    if not isinstance(text, str) or not text:
        raise state.dialect.refuse_param("Text is required")
    state.speech_log.append(SpeechCall(user=user, text=text))
    state.changed()
    return web.Response(body=state.features.sound, content_type="audio/mpeg")
