"""Every number that the stand-in enforces, with where it comes from. Nothing here does anything.

Sources: "docs" is Discord's API documentation as of August 2026. Discord publishes no route limits and forbids clients to
hard-code them; those marked "observed" are what its servers have been seen to send in their headers.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """At most `limit` calls in `seconds`, counted from the first one."""

    limit: int
    seconds: float


MAX_CONTENT = 2000
"""Characters (code points) of a message: docs, resources/message, Create Message."""

MAX_FILES = 10
"""Files of one message: docs, resources/message, Create Message."""

MAX_FILE_BYTES = 10 * 2**20
"""One file, in a server without boosts: docs, reference, Uploading Files."""

FILE_BYTES = (MAX_FILE_BYTES, MAX_FILE_BYTES, 50 * 2**20, 100 * 2**20)
"""One file by the server's boost tier, as the client library knows it. A bot's request has its own limit beside it."""

LINK_SECONDS = 86_400
"""How long a file's signed address is good. The docs say that it expires; a day is what has been observed."""

MAX_REQUEST_BYTES = 25 * 2**20
"""A whole request: docs, resources/message, Create Message."""

MAX_NONCE = 25
"""Characters of a nonce: docs, resources/message, Create Message."""

MAX_ROWS = 5
"""Rows of components of one message: docs, components/reference, Legacy Message Component Behavior."""

MAX_BUTTONS_IN_ROW = 5
"""Docs: components/reference, Action Row."""

MAX_BUTTON_LABEL = 80
"""Characters: docs, components/reference, Button."""

MAX_BUTTON_URL = 512
"""Characters: docs, components/reference, Button."""

MAX_CUSTOM_ID = 100
"""Characters: docs, components/reference, Custom ID."""

INTERACTION_SECONDS = 3.0
"""Time for the first answer: docs, interactions/receiving-and-responding, Responding to an Interaction."""

INTERACTION_TOKEN_SECONDS = 900.0
"""Time for everything that follows the first answer: docs, same page, Followup Messages."""

MAX_USER_FOLLOW_UPS = 5
"""Follow-ups where the app is there only for the person who asked: docs, same page, Followup Messages."""

MAX_MODAL_TITLE = 45
"""Characters: docs, interactions/receiving-and-responding, Modal."""

MAX_MODAL_COMPONENTS = 5
"""Docs: interactions/receiving-and-responding, Modal."""

MAX_FIELD_LABEL = 45
"""Characters: docs, components/reference, Label and Text Input."""

MAX_FIELD_DESCRIPTION = 100
"""Characters: docs, components/reference, Label."""

MAX_FIELD_TEXT = 4000
"""Characters: docs, components/reference, Text Input."""

MAX_PLACEHOLDER = 100
"""Characters of a text input's (docs: components/reference, Text Input); a select's may have 150."""

MAX_CHOICES = 25
"""Options of a select, and choices of a command's option: docs, components/reference and interactions/application-commands."""

MAX_COMMANDS = {1: 100, 2: 15, 3: 15}
"""Of each type (chat input, user, message): docs, interactions/application-commands."""

MAX_COMMAND_NAME = 32
MAX_COMMAND_DESCRIPTION = 100
MAX_COMMAND_OPTIONS = 25
MAX_COMMAND_CHARACTERS = 8000
"""Names, descriptions and values of one command together. All: docs, interactions/application-commands."""

MAX_OPTION_TEXT = 6000
"""Characters of a text option: docs, interactions/application-commands, Option Structure."""

COMMAND_CREATES = 200
COMMAND_CREATES_SECONDS = 86_400.0
"""New commands a day: docs, interactions/application-commands, Registering a Command."""

MAX_FORUM_TAGS = 20
"""Of one forum; MAX_APPLIED_TAGS of one post: docs, resources/channel."""

MAX_APPLIED_TAGS = 5

NONCE_WINDOW = 300.0
"""Seconds for which `enforce_nonce` looks back. Docs say "the past few minutes"."""

MAX_THREAD_NAME = 100
"""Characters of a channel or thread name: docs, resources/channel, Start Thread from Message."""

MAX_ACTIVE_THREADS = 1000
"""Threads of one server that are not archived: docs, topics/threads."""

AUTO_ARCHIVE_MINUTES = (60, 1440, 4320, 10080)
"""Allowed values of `auto_archive_duration`: docs, resources/channel, Thread Metadata Object."""

MAX_PAGE = 100
"""Most messages (or reacting users) of one list call: docs, resources/message, Get Channel Messages."""

MAX_GUILD_PAGE = 200
"""Servers of one list call, and how many come when it names no limit: docs, resources/user, Get Current User Guilds."""

DEFAULT_PAGE = 50
"""Messages of a list call that names no limit: docs, resources/message, Get Channel Messages."""

DEFAULT_REACTION_PAGE = 25
"""Users of a Get Reactions call that names no limit: docs, resources/message."""

MAX_ALLOWED_MENTION_IDS = 100
"""Ids in `allowed_mentions.users` or `.roles`: docs, resources/message, Allowed Mentions Object."""

MAX_REACTION_KINDS = 20
"""Different emoji on one message: docs, JSON error code 30010."""

OLD_MESSAGE_SECONDS = 3600.0
"""Age from which edits have a cap of their own: docs, JSON error code 30046."""

TYPING_SECONDS = 10.0
"""How long one typing call is visible: docs, resources/channel, Trigger Typing Indicator."""

GLOBAL = Window(limit=50, seconds=1.0)
"""All calls of one bot together: docs, topics/rate-limits, Global Rate Limit."""

GATEWAY_PAYLOADS = Window(limit=120, seconds=60.0)
"""Payloads that a client may send on one connection: docs, topics/gateway, Rate Limiting."""

HEARTBEAT_MILLISECONDS = 41_250
"""What the real gateway has been observed to ask for in HELLO."""

HEARTBEAT_GRACE_SECONDS = 5.0
"""Ours: how much later than one whole interval a heartbeat may come before the connection is closed with 4009."""

IDENTIFIES_PER_DAY = 1000
"""Docs, topics/gateway, Session Start Limit Object."""

MAX_CONCURRENCY = 1
"""Identifies per 5 seconds of a small bot: docs, topics/gateway, Session Start Limit Object."""

IDENTIFY_SECONDS = 5.0
"""Time for which `MAX_CONCURRENCY` counts: docs, topics/gateway, Rate Limiting."""

REPLAYABLE_DISPATCHES = 10_000
"""Ours: how many dispatches a session keeps for RESUME."""

RENAMES = Window(limit=2, seconds=600.0)
"""Name changes of one channel or thread. Observed; a limit below the route's own, so it shows in no header."""

DEFAULT_BUCKET = Window(limit=10, seconds=1.0)
"""Routes that are not named below. Ours, generous for what the bridge calls rarely."""

BUCKETS = {
    # Observed for years and the same in every bot read; creating and editing draw on separate budgets.
    "POST /channels/{channel_id}/messages": Window(limit=5, seconds=5.0),
    "PATCH /channels/{channel_id}/messages/{message_id}": Window(limit=5, seconds=5.0),
    "DELETE /channels/{channel_id}/messages/{message_id}": Window(limit=5, seconds=1.0),
    "GET /channels/{channel_id}/messages": Window(limit=5, seconds=1.0),
    "GET /channels/{channel_id}/messages/{message_id}": Window(limit=5, seconds=1.0),
    "POST /channels/{channel_id}/typing": Window(limit=5, seconds=5.0),
    "POST /channels/{channel_id}/messages/{message_id}/threads": Window(limit=5, seconds=5.0),
    "PATCH /channels/{channel_id}": Window(limit=5, seconds=15.0),
    "PUT /channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me": Window(limit=1, seconds=0.25),
    "DELETE /channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me": Window(limit=1, seconds=0.25),
    "DELETE /channels/{channel_id}/messages/{message_id}/reactions/{emoji}/{user_id}": Window(limit=1, seconds=0.25),
    "POST /channels/{channel_id}/threads": Window(limit=5, seconds=5.0),
    "POST /users/@me/channels": Window(limit=5, seconds=5.0),
    # By the token of each interaction, and apart from the global limit. Observed.
    "POST /webhooks/{application_id}/{token}": Window(limit=5, seconds=5.0),
    "PATCH /webhooks/{application_id}/{token}/messages/@original": Window(limit=5, seconds=5.0),
    "PATCH /webhooks/{application_id}/{token}/messages/{message_id}": Window(limit=5, seconds=5.0),
    "PUT /applications/{application_id}/commands": Window(limit=2, seconds=5.0),
}
