"""What a member is told about each failure: a plain sentence per cause, by the error's code. Never an address, a code or a name.

Where no sentence stands here, the one of the error's class says it. Causes that only the words of a reply tell apart bring their
sentence along (see `errors`).
"""

from bridge.errors import BackendError
from bridge.remote.sentences import INTERNAL, LATER, MODEL_MISSING, NOT_IN, QUOTA, TELL
from bridge.remote.sentences import put_in_words as put_sentence

SWITCHED_OFF = f"The app does not take questions from this bot at the moment. {TELL}"
INPUTS = f"The app asks for information that this bot does not give. {TELL}"
FILE_TOO_LARGE = "It is larger than the app takes."
FILE_WRONG_KIND = "The app does not take files of this kind."
FILE_NOT_TAKEN = "The app did not accept this file."
NEEDS_FILE = "The app needs a file with this question. Please ask again with the file attached."
NO_FILES = "The app takes no files."
FILES_REFUSED = "The app did not accept the files of this question."
HEARS_NOTHING = "The app does not listen to recordings."
RECORDING_EMPTY = "The recording is empty."
RECORDING_TOO_LARGE = "The recording is larger than the app can listen to."
RECORDING_REFUSED = "The app could not listen to this recording."
SPEECH_FAILED = f"The app's model for speech failed. {LATER}"
NO_SPEECH_MODEL = f"The app has no model that listens to recordings. {TELL}"
NO_VOICE = f"The app has no model that reads aloud. {TELL}"
SPEECH_EMPTY = "There is nothing in this answer that could be read aloud."
SPEECH_TOO_LARGE = "This answer is too long to be read aloud."
FORM_REFUSED = "The app did not accept what was filled in."
NO_RATING = "This answer can no longer be rated."

_NOT_PUBLISHED = f"The app is not ready for questions yet. {TELL}"

_BY_CODE = {
    "unauthorized": NOT_IN,
    "forbidden": SWITCHED_OFF,
    "app_unavailable": _NOT_PUBLISHED,
    "agent_not_published": _NOT_PUBLISHED,
    "provider_not_initialize": MODEL_MISSING,
    "model_currently_not_support": MODEL_MISSING,
    "provider_quota_exceeded": QUOTA,
    "rate_limit_error": QUOTA,
    "completion_request_error": "The app's model failed while answering.",
    "invalid_param": "A step inside the app failed while answering.",
    "workflow_failed": "A step inside the app failed while answering.",
    "internal_server_error": INTERNAL,
    "server_error": INTERNAL,
}
"""`invalid_param` is also the code of refusals, which bring their own sentence or are told by their class."""


def refuse_recording(kind: str, taken: str) -> str:
    """`kind` as in "MP3", "" where it is not known; `taken` names what the app does listen to."""
    return f"The app cannot listen to {f'{kind} recordings' if kind else 'this kind of recording'}, only to {taken}."


def too_long_for(most: int) -> str:
    return f"This question is too long for the app, which takes at most {most:,} characters. Please ask a shorter one."


def put_in_words(error: BackendError, *, said: bool = False) -> None:
    """Gives the error its sentence, unless it brought one. `said`: text of the answer had come."""
    put_sentence(error, _BY_CODE, said=said)
