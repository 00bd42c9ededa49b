"""How the stand-in says no: Discord's error codes with their HTTP status and words (docs: topics/opcodes-and-status-codes)."""

from bridge.playground.discord.model import Json


class Refusal(Exception):
    """Turned into an HTTP answer by `rest`."""

    def __init__(self, status: int, code: int, message: str, *, errors: Json | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors

    def body(self) -> Json:
        body: Json = {"message": self.message, "code": self.code}
        if self.errors is not None:
            body["errors"] = self.errors
        return body


def invalid_form(field: str, code: str, message: str) -> Refusal:
    """50035. `field` is a dotted path into the body ("allowed_mentions.parse")."""
    tree: Json = {"_errors": [{"code": code, "message": message}]}
    for part in reversed(field.split(".")):
        tree = {part: tree}
    return Refusal(400, 50035, "Invalid Form Body", errors=tree)


def unauthorized() -> Refusal:
    return Refusal(401, 0, "401: Unauthorized")


def no_such_route() -> Refusal:
    return Refusal(404, 0, "404: Not Found")


def unknown_channel() -> Refusal:
    return Refusal(404, 10003, "Unknown Channel")


def unknown_guild() -> Refusal:
    return Refusal(404, 10004, "Unknown Guild")


def unknown_message() -> Refusal:
    return Refusal(404, 10008, "Unknown Message")


def unknown_user() -> Refusal:
    return Refusal(404, 10013, "Unknown User")


def unknown_member() -> Refusal:
    return Refusal(404, 10007, "Unknown Member")


def unknown_interaction() -> Refusal:
    return Refusal(404, 10062, "Unknown interaction")


def unknown_webhook() -> Refusal:
    return Refusal(404, 10015, "Unknown Webhook")


def unknown_application() -> Refusal:
    return Refusal(404, 10002, "Unknown Application")


def unknown_command() -> Refusal:
    return Refusal(404, 10063, "Unknown application command")


def invalid_webhook_token() -> Refusal:
    return Refusal(401, 50027, "Invalid Webhook Token")


def too_many_follow_ups() -> Refusal:
    """The status is ours: the docs name the code only."""
    return Refusal(400, 40094, "This interaction has hit the maximum number of follow up messages")


def too_many_commands_today() -> Refusal:
    """Seen with this status in traces of discord.py; others have seen 429."""
    return Refusal(400, 30034, "Max number of daily application command creates has been reached (200)")


def tag_required() -> Refusal:
    return Refusal(400, 40067, "A tag is required to create a forum post in this channel")


def already_acknowledged() -> Refusal:
    return Refusal(400, 40060, "Interaction has already been acknowledged.")


def unknown_emoji() -> Refusal:
    return Refusal(400, 10014, "Unknown Emoji")


def too_many_reactions() -> Refusal:
    return Refusal(400, 30010, "Maximum number of reactions reached (20)")


def too_many_old_edits() -> Refusal:
    """The status is 429 although it is no rate limit of the route (seen in traces of discord.py)."""
    return Refusal(429, 30046, "Maximum number of edits to messages older than 1 hour reached. Try again later")


def too_large() -> Refusal:
    return Refusal(413, 40005, "Request entity too large")


def missing_access() -> Refusal:
    return Refusal(403, 50001, "Missing Access")


def wrong_for_dm() -> Refusal:
    return Refusal(403, 50003, "Cannot execute action on a DM channel")


def not_the_author() -> Refusal:
    return Refusal(403, 50005, "Cannot edit a message authored by another user")


def empty_message() -> Refusal:
    return Refusal(400, 50006, "Cannot send an empty message")


def blocked_by_person() -> Refusal:
    return Refusal(403, 50007, "Cannot send messages to this user")


def not_a_text_channel() -> Refusal:
    return Refusal(400, 50008, "Cannot send messages in a non-text channel")


def missing_permissions() -> Refusal:
    return Refusal(403, 50013, "Missing Permissions")


def wrong_channel_type() -> Refusal:
    return Refusal(400, 50024, "Cannot execute action on this channel type")


def system_message() -> Refusal:
    return Refusal(403, 50021, "Cannot execute action on a system message")


def thread_archived() -> Refusal:
    return Refusal(400, 50083, "Thread is archived")


def invalid_json() -> Refusal:
    return Refusal(400, 50109, "The request body contains invalid JSON.")


def reply_without_history() -> Refusal:
    return Refusal(403, 160002, "Cannot reply without permission to read message history")


def thread_exists() -> Refusal:
    return Refusal(400, 160004, "A thread has already been created for this message")


def thread_locked() -> Refusal:
    return Refusal(403, 160005, "Thread is locked")


def too_many_threads() -> Refusal:
    return Refusal(400, 160006, "Maximum number of active threads reached")
