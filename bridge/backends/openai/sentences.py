"""What a member is told about failures that only servers with OpenAI's API know (the rest is in `bridge.remote.sentences`)."""

from bridge.errors import BackendError
from bridge.remote.sentences import INTERNAL, LATER, MODEL_BUSY, MODEL_MISSING, NOT_IN, QUOTA, TELL
from bridge.remote.sentences import put_in_words as put_sentence

NOT_ALLOWED = f"The app's model does not take questions from this bot. {TELL}"
FILTERED_QUESTION = "The app's content filter does not let this question through. Please put it differently."
FILTERED_ANSWER = "The app's content filter held the answer back. Please put the question differently."
IMAGES_REFUSED = "The app's model did not accept the images of this question."
SETTING_REFUSED = f"The app's model does not take questions the way this bot asks them. {TELL}"

FILE_TOO_LARGE = "It is larger than the app takes."
FILE_WRONG_KIND = "The app looks at images only (PNG, JPEG, GIF or WebP)."

CUT_BY_LENGTH = "The answer was cut off here: it reached the longest that the model may say."
CUT_BY_FILTER = "The answer was cut off here by the app's content filter."
TOO_LONG_TO_SAY = "The app's model used up all the words that it may use before it said anything."
WANTS_TOOLS = f"The app's model wanted to use a tool, which it cannot do from here. {TELL}"

_MODEL_FAILED = f"The app's model failed while answering. {LATER}"

_BY_CODE = {
    "unauthorized": NOT_IN,
    "forbidden": NOT_ALLOWED,
    "model_missing": MODEL_MISSING,
    "quota": QUOTA,
    "too_many_requests": MODEL_BUSY,
    "overloaded": MODEL_BUSY,
    "setting_refused": SETTING_REFUSED,
    "server_error": INTERNAL,
    "model_failed": _MODEL_FAILED,
    "nothing_said": _MODEL_FAILED,
}


def put_in_words(error: BackendError, *, said: bool = False) -> None:
    """Gives the error its sentence, unless it brought one. `said`: text of the answer had come."""
    put_sentence(error, _BY_CODE, said=said)
