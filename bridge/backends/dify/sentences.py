"""What a member is told about each failure: a plain sentence per cause, by the error's code. Never an address, a code or a name.

Where no sentence stands here, the one of the error's class says it. Causes that only the words of a reply tell apart bring their
sentence along (see `errors`).
"""

from bridge.errors import BackendError, ConversationMissing, QuestionRefused

_TELL = "Please tell whoever runs this bot."
_LATER = "Please try again in a moment."

QUOTA = f"The app has used up its quota. {_TELL}"
MODEL_BUSY = f"The app's model has too much to do right now. {_LATER}"
SWITCHED_OFF = f"The app does not take questions from this bot at the moment. {_TELL}"
TOO_LONG = "This question is too long for the app. Please ask a shorter one."
INPUTS = f"The app asks for information that this bot does not give. {_TELL}"
NO_PLACE = f"Too many questions are waiting for the app right now. {_LATER}"
FILE_TOO_LARGE = "It is larger than the app takes."
FILE_WRONG_KIND = "The app does not take files of this kind."
FILE_NOT_TAKEN = "The app did not accept this file."
FILES_REFUSED = "The app did not accept the files of this question."
HEARS_NOTHING = "The app does not listen to recordings."
RECORDING_EMPTY = "The recording is empty."
RECORDING_TOO_LARGE = "The recording is larger than the app can listen to."
RECORDING_REFUSED = "The app could not listen to this recording."
SPEECH_FAILED = f"The app's model for speech failed. {_LATER}"
NO_SPEECH_MODEL = f"The app has no model that listens to recordings. {_TELL}"
NO_VOICE = f"The app has no model that reads aloud. {_TELL}"
SPEECH_EMPTY = "There is nothing in this answer that could be read aloud."
SPEECH_TOO_LARGE = "This answer is too long to be read aloud."
NO_RATING = "This answer can no longer be rated."

_UNSAFE = f"No safe connection to the app can be made. {_TELL}"
_MODEL_MISSING = f"The app's model is not available. {_TELL}"
_NOT_PUBLISHED = f"The app is not ready for questions yet. {_TELL}"
_NOT_IN_TIME = f"The app did not answer in time. {_LATER}"
_INTERNAL = f"The app ran into a problem of its own. {_LATER}"
_TOO_MUCH = "The app sent more at once than this bot can take."

_BY_CODE = {
    "unauthorized": f"The app does not let this bot in. {_TELL}",
    "forbidden": SWITCHED_OFF,
    "certificate": _UNSAFE,
    "certificate_name": _UNSAFE,
    "certificate_expired": _UNSAFE,
    "tls": _UNSAFE,
    "plain_on_tls": _UNSAFE,
    "app_unavailable": _NOT_PUBLISHED,
    "agent_not_published": _NOT_PUBLISHED,
    "provider_not_initialize": _MODEL_MISSING,
    "model_currently_not_support": _MODEL_MISSING,
    "provider_quota_exceeded": QUOTA,
    "rate_limit_error": QUOTA,
    "http_504": _NOT_IN_TIME,
    "http_524": _NOT_IN_TIME,
    "no_answer": f"The app did not begin to answer in time. {_LATER}",
    "completion_request_error": "The app's model failed while answering.",
    "invalid_param": "A step inside the app failed while answering.",
    "workflow_failed": "A step inside the app failed while answering.",
    "internal_server_error": _INTERNAL,
    "server_error": _INTERNAL,
    "event_too_large": _TOO_MUCH,
    "reply_too_large": _TOO_MUCH,
}
"""`invalid_param` is also the code of refusals, which bring their own sentence or are told by their class."""

_BY_CODE_AND_SAID = {
    "idle": ("The app fell silent before it had answered.", "The app fell silent in the middle of its answer."),
    "no_progress": (
        "The app worked on this for too long without saying anything.",
        "The app worked on this for too long without saying anything more.",
    ),
    "cut": ("The connection to the app broke off before it had answered.", ""),
    "no_ending": ("The connection to the app broke off before it had answered.", ""),
}
"""What is said when no text had come, and when some had; empty leaves it to the class."""


def refuse_recording(kind: str, taken: str) -> str:
    """`kind` as in "MP3", "" where it is not known; `taken` names what the app does listen to."""
    return f"The app cannot listen to {f'{kind} recordings' if kind else 'this kind of recording'}, only to {taken}."


def put_in_words(error: BackendError, *, said: bool = False) -> None:
    """Gives the error its sentence, unless it brought one. `said`: text of the answer had come."""
    if error.user_message != type(error).user_message:
        return
    before, after = _BY_CODE_AND_SAID.get(error.code, ("", ""))
    sentence = (after if said else before) or _BY_CODE.get(error.code, "")
    if sentence and not isinstance(error, QuestionRefused | ConversationMissing):
        error.user_message = sentence
