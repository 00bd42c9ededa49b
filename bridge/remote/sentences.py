"""What a member is told about each failure: a plain sentence per cause, by the error's code. Never an address, a code or a name.

Where no sentence stands here or in the backend's own table, the one of the error's class says it.
"""

from collections.abc import Mapping

from bridge.errors import BackendError, ConversationMissing, QuestionRefused

TELL = "Please tell whoever runs this bot."
LATER = "Please try again in a moment."
NO_PLACE = f"Too many questions are waiting for the app right now. {LATER}"
TOO_LONG = "This question is too long for the app. Please ask a shorter one."
MODEL_BUSY = f"The app's model has too much to do right now. {LATER}"
QUOTA = f"The app has used up its quota. {TELL}"
NOT_IN = f"The app does not let this bot in. {TELL}"
MODEL_MISSING = f"The app's model is not available. {TELL}"
INTERNAL = f"The app ran into a problem of its own. {LATER}"

_UNSAFE = f"No safe connection to the app can be made. {TELL}"
_NOT_IN_TIME = f"The app did not answer in time. {LATER}"
_TOO_MUCH = "The app sent more at once than this bot can take."

_BY_CODE = {
    "certificate": _UNSAFE,
    "certificate_name": _UNSAFE,
    "certificate_expired": _UNSAFE,
    "tls": _UNSAFE,
    "plain_on_tls": _UNSAFE,
    "http_504": _NOT_IN_TIME,
    "http_524": _NOT_IN_TIME,
    "no_answer": f"The app did not begin to answer in time. {LATER}",
    "event_too_large": _TOO_MUCH,
    "reply_too_large": _TOO_MUCH,
}

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


def put_in_words(error: BackendError, own: Mapping[str, str], *, said: bool = False) -> None:
    """Gives the error its sentence, unless it brought one. `own` are the backend's, by code; `said`: text had come."""
    if error.user_message != type(error).user_message:
        return
    before, after = _BY_CODE_AND_SAID.get(error.code, ("", ""))
    sentence = (after if said else before) or own.get(error.code, "") or _BY_CODE.get(error.code, "")
    if sentence and not isinstance(error, QuestionRefused | ConversationMissing):
        error.user_message = sentence
