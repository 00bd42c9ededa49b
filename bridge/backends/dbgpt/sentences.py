"""What a member is told about each failure: a plain sentence per cause, by the error's code."""

from bridge.errors import BackendError
from bridge.remote.sentences import INTERNAL, LATER, MODEL_MISSING, NOT_IN, TELL
from bridge.remote.sentences import put_in_words as put_sentence

MODEL_FAILED = "The app's model failed while answering."
NOTHING_SAID = f"The app ended without saying anything. {LATER}"
CHOICE_GONE = "What was chosen to answer here is no longer there. Please choose again."
NO_RATING = "This answer can no longer be rated."

_NOT_THERE = f"What this app asks is no longer there. {TELL}"

_BY_CODE = {
    "unauthorized": NOT_IN,
    "forbidden": NOT_IN,
    "no_source": _NOT_THERE,
    "no_flow": _NOT_THERE,
    "no_model": MODEL_MISSING,
    "nothing_said": NOTHING_SAID,
    "model_failed": MODEL_FAILED,
    "failed_as_text": "A step inside the app failed while answering.",
    "server_error": INTERNAL,
}


def put_in_words(error: BackendError, *, said: bool = False) -> None:
    """Gives the error its sentence, unless it brought one. `said`: text of the answer had come."""
    put_sentence(error, _BY_CODE, said=said)
