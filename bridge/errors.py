"""Every failure the bridge knows, and what a member may be told about it.

    BridgeError
    |- SettingsError                 a setting is missing or wrong; the operator is told which and how to mend it
    |- StoreError
    |  |- StoreUnavailable           nothing was written; the platform is not acknowledged and delivers again
    |  |- StoreInUse                 another process holds this single-process store
    |  `- Fenced                     another owner took the conversation; this one must stop touching it
    |- BackendError                  `user_message` is what the member sees
    |  |- BackendUnreachable         no connection, no name, bad certificate: provably not accepted
    |  |- BackendBusy                too many requests or the quota of connections is used up: not accepted
    |  |- BackendMisconfigured       key, app type, base URL, provider: only the operator can mend it
    |  |- QuestionRefused            the backend refuses this very question (too long, input missing)
    |  |- ConversationMissing        the backend no longer knows the conversation
    |  |- BackendFailed              the app itself failed while answering
    |  |- BackendTimeout             nothing, or nothing but pings, for too long
    |  |- BackendCut                 the stream ended without an ending
    |  |- BackendPaused              the app waits for something that chat cannot give
    |  `- NotHeard                   a voice message could not be turned into text this time; the app was not asked
    `- PlatformError
       |- PlatformUnavailable        network trouble or 5xx; whether it arrived may be unknown
       |- RateLimited                not executed; wait `retry_after`
       |- FileTooLarge               more bytes than were wanted
       |- MessageGone                the message (or its channel) no longer exists
       |- MessageRefused             the platform refuses this content
       `- NotAllowed                 a permission or scope is missing, or the token is invalid

The cause rides on `__cause__`. SDK exceptions are translated where they are caught and go no further.
"""

from datetime import timedelta


class BridgeError(Exception):
    """Root of every error raised on purpose."""


class SettingsError(BridgeError):
    """One or more settings are missing or wrong. `problems` has one sentence each, naming the setting and the fix."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class StoreError(BridgeError):
    pass


class StoreUnavailable(StoreError):
    """The store cannot be reached, is locked or is full."""


class StoreInUse(StoreError):
    """Another bridge process has this SQLite file open."""


class Fenced(StoreError):
    """The conversation's epoch has moved on: somebody else owns it now."""


class BackendError(BridgeError):
    """A backend did not answer as hoped.

    `str(error)` is for the log and may name internals; `user_message` is a plain sentence for the member.
    """

    user_message = "Something went wrong while asking the app."
    may_retry = True
    """Whether asking the same question again later can help."""
    accepted = True
    """False when the backend provably never started on the question, so that asking again cannot run it twice."""

    def __init__(
        self,
        detail: str,
        *,
        code: str = "",
        user_message: str = "",
        retry_after: timedelta | None = None,
        fix: str = "",
    ) -> None:
        super().__init__(detail)
        self.code = code or type(self).__name__
        self.retry_after = retry_after
        self.fix = fix
        """What the operator can do, for the log."""
        if user_message:
            self.user_message = user_message


class BackendUnreachable(BackendError):
    user_message = "The app cannot be reached right now. Please try again in a moment."
    accepted = False


class BackendBusy(BackendError):
    user_message = "The app is answering too many questions right now. Please try again in a moment."
    accepted = False


class BackendMisconfigured(BackendError):
    user_message = "The app is not set up correctly, so it cannot answer. Please tell whoever runs this bot."
    may_retry = False
    accepted = False


class QuestionRefused(BackendError):
    user_message = "The app did not accept this question."
    may_retry = False
    accepted = False


class ConversationMissing(BackendError):
    user_message = "The app no longer remembers this conversation."
    accepted = False


class BackendFailed(BackendError):
    user_message = "The app failed while answering."


class BackendTimeout(BackendError):
    user_message = "The app took too long and stopped responding."


class BackendCut(BackendError):
    user_message = "The connection to the app broke off, so this answer is incomplete."


class BackendPaused(BackendError):
    user_message = "The app is waiting for a form to be filled in, which is not possible from here yet."
    may_retry = False


class NotHeard(BackendError):
    user_message = "The voice message could not be turned into text."
    accepted = False


class PlatformError(BridgeError):
    """A chat platform refused or failed. `code` is the platform's own word for it."""

    def __init__(self, detail: str, *, code: str = "") -> None:
        super().__init__(detail)
        self.code = code or type(self).__name__


class PlatformUnavailable(PlatformError):
    """Network trouble, a 5xx or a timeout. The call may or may not have had its effect."""


class RateLimited(PlatformError):
    """Not executed. The same call may be made again after `retry_after`."""

    def __init__(self, detail: str, *, retry_after: timedelta, code: str = "") -> None:
        super().__init__(detail, code=code)
        self.retry_after = retry_after


class FileTooLarge(PlatformError):
    """A file has more bytes than were wanted; it was not read to its end."""


class MessageGone(PlatformError):
    """The message, its thread or its channel was deleted."""


class MessageRefused(PlatformError):
    """The platform refuses this content (too long, malformed)."""


class NotAllowed(PlatformError):
    """A permission or scope is missing, the bot was removed, or the token is invalid."""
