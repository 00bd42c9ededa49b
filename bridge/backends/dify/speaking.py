"""Has Dify read an answer aloud. It asks a model for that, in the voice that the app's author chose."""

from bridge.backends.dify.client import DifyClient
from bridge.backends.dify.errors import NO_VOICE_FIX, explain_refusal
from bridge.backends.dify.lacking import is_absent
from bridge.backends.dify.sentences import NO_VOICE, SPEECH_EMPTY, SPEECH_TOO_LARGE
from bridge.errors import BackendCut, BackendFailed, BackendMisconfigured, QuestionRefused
from bridge.messages import BackendIds, BackendUser
from bridge.past_api import Speech
from bridge.remote.framing import Json, text_of

LONGEST_TEXT = 8_000
"""Characters; some ten minutes. What is longer is read as far as that."""

_NO_MODEL = ("provider_not_initialize", "provider_not_support_text_to_speech", "model_currently_not_support")


async def speak(client: DifyClient, ids: BackendIds, text: str, user: BackendUser, most: int, limit: float) -> Speech:
    """As `Speaks.speak`. With a message's id Dify reads what the model said, its thoughts included; so the text goes first."""
    body: Json = {"user": user}
    if text.strip():
        body["text"] = text[:LONGEST_TEXT]
    elif ids.message:
        body["message_id"] = ids.message
    else:
        raise QuestionRefused("there is nothing to be read aloud", code="nothing_to_say", user_message=SPEECH_EMPTY)
    reply = await client.call("POST", "/text-to-audio", body=body, max_bytes=most + 1, limit=limit)
    kind = reply.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if reply.status != 200:
        error = explain_refusal(reply)
        code = text_of(reply.read(), "code")
        if is_absent(reply):
            # The app speaks, so its settings say, and its server only speaks like Dify.
            raise QuestionRefused(str(error), code="no_speech", user_message=NO_VOICE)
        if code in _NO_MODEL:
            raise BackendMisconfigured(str(error), code=code, user_message=NO_VOICE, fix=NO_VOICE_FIX)
        raise error
    if not kind.startswith("audio/"):
        # `null`: the message is gone, or its answer is empty.
        raise BackendFailed(f"no sound came but {kind or 'nothing'}", code="no_sound", user_message=SPEECH_EMPTY)
    if len(reply.body) > most:
        raise QuestionRefused(
            f"the recording has more than {most} bytes", code="sound_too_large", user_message=SPEECH_TOO_LARGE
        )
    told = reply.headers.get("Content-Length", "")
    if not reply.body or (told.isdecimal() and int(told) != len(reply.body)):
        raise BackendCut("the recording broke off", code="cut")
    return Speech(content=reply.body, media_type=kind)
