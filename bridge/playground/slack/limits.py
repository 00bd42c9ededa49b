"""Every number that the stand-in holds a client to, each with where it comes from.

"Docs" is Slack's own reference; "reported" is what other projects met in production. Where the two disagree, the
harsher one stands here: a client that lives with it lives with both.
"""

from collections.abc import Mapping
from types import MappingProxyType

POST_TEXT_CHARS = 4_000
"""`text` of chat.postMessage. Docs: keep below 4,000 (truncated at 40,000); reported: `msg_too_long` just above 4,000."""

UPDATE_TEXT_BYTES = 4_000
"""`text` of chat.update. Docs: 4,000 characters; reported: UTF-8 bytes of the escaped text ("&" is "&amp;"), 4,000 accepted."""

MARKDOWN_CHARS = 12_000
"""Docs of the markdown block: 12,000 characters for all markdown blocks of one payload, the same for `markdown_text`;
reported: for each block. CJK counts as characters here."""

COUNTED_CHARS = 13_200
"""Reported (bolt-js, metabase): a whole message holds about this many counted characters, however it is cut into blocks."""

COUNTED_PER_ITEM = 100
"""Reported (bolt-js): what a heading or a divider costs on top of its text."""

COUNTED_ENTITIES: Mapping[str, int] = MappingProxyType({"&": len("&amp;"), "<": len("&lt;"), ">": len("&gt;")})
"""Reported (bolt-js): these three count as their entities."""

BLOCKS = 50
"""Docs: blocks per message. Reported: counted after Markdown has been expanded into blocks."""

SECTION_CHARS = 3_000
SECTION_FIELDS = 10
SECTION_FIELD_CHARS = 2_000
HEADER_CHARS = 150
CONTEXT_ELEMENTS = 10
ACTIONS_ELEMENTS = 25
CONTEXT_ACTIONS_ELEMENTS = 5
CONTEXT_TEXT_CHARS = 3_000
ACCESSIBILITY_CHARS = 75
FEEDBACK_CHARS = 75
FEEDBACK_VALUE_CHARS = 2_000
ICON_BUTTON_CHARS = 75
BUTTON_CHARS = 75
BUTTON_VALUE_CHARS = 2_000
BUTTON_URL_CHARS = 3_000
ACTION_ID_CHARS = 255
ALT_TEXT_CHARS = 2_000
BLOCK_ID_CHARS = 255
TABLE_ROWS = 100
TABLE_COLUMNS = 20
TABLES = 1
"""Docs, reference of each block. The header of a table is one of its rows."""

TABLE_CHARS = 10_000
"""Reported: what the cells of a message's tables hold together."""

VIEW_TITLE_CHARS = 24
VIEW_BUTTON_CHARS = 24
VIEW_BLOCKS = 100
PRIVATE_METADATA_CHARS = 3_000
CALLBACK_ID_CHARS = 255
EXTERNAL_ID_CHARS = 255
VIEW_BYTES = 250_000
"""Docs of views: labels of a modal, its blocks, what an app may hide in it; a larger view is `view_too_large`."""

LABEL_CHARS = 2_000
HINT_CHARS = 2_000
PLACEHOLDER_CHARS = 150
INPUT_CHARS = 3_000
OPTIONS = 100
RADIO_OPTIONS = 10
OPTION_CHARS = 75
OPTION_VALUE_CHARS = 150
"""Docs of the input block, of plain_text_input, of the select menus and of the option object."""

TRIGGER_SECONDS = 3.0
"""Docs of interactivity: how long a trigger_id may be exchanged for a modal."""

STREAM_SECONDS = 300.0
"""Reported (python-slack-sdk issue 1859: about 306 s; vercel/chat issues 607 and 637): a stream is closed about five minutes
after its start. Some say only when idle; the harsher reading is that it is closed in any case."""

STREAM_CHARS = 12_000
"""Docs of chat.appendStream: 12,000 characters in one call or chunk. How much a message takes in all is not said. Each
message is held to what a markdown block holds, so this is the limit of both."""

TASK_FIELD_CHARS = 256
"""Docs of task_update and plan_update: each field. Reported (vercel/chat pull 886): the real one takes more."""

TASKS = 50
"""Docs of the plan block, which is what tasks become."""

LOADING_MESSAGES = 10
STATUS_SECONDS = 120.0
"""Docs of assistant.threads.setStatus: at most ten loading messages; the status goes away after two minutes."""

SESSION_TITLE_CHARS = 200
"""Docs of agents.sessions.setStatus and agents.sessions.rename."""

SESSION_SECONDS = 3_600.0
"""Reported (hermes-agent issue 90978): a session that nobody takes out of "processing" is taken out after an hour."""

PROMPTS = 4
"""Docs of assistant.threads.setSuggestedPrompts."""

FILES = 100
"""Files of one files.completeUploadExternal. Docs name the number for channels; the same is taken for files."""

UPLOAD_BYTES = 32 * 2**20
"""Largest upload. Ours: Slack takes 1 GB, which nobody here wants in memory."""

SHARE_SECONDS = 0.2
"""Ours. A Slack engineer (bolt-js issue 2115): sharing goes on after the call has been answered, security scans included."""

REPLIES_PAGE = 1_000
HISTORY_PAGE = 999
HISTORY_DEFAULT_PAGE = 100
"""Docs of conversations.replies and conversations.history."""

WINDOW_SECONDS = 60.0
"""Docs of rate limits: tiers are per minute, per method, per workspace, per app."""

TIER_1 = 1
TIER_2 = 20
TIER_3 = 50
TIER_4 = 100
"""Docs of rate limits: "1+", "20+", "50+", "100+" a minute; the floor is what a client may rely on."""

CALLS_PER_MINUTE: Mapping[str, int] = MappingProxyType(
    {
        "chat.update": TIER_3,
        "chat.delete": TIER_3,
        "conversations.replies": TIER_3,
        "conversations.history": TIER_3,
        "conversations.info": TIER_3,
        "reactions.add": TIER_3,
        "reactions.get": TIER_3,
        "reactions.remove": TIER_2,
        "users.info": TIER_4,
        "bots.info": TIER_3,
        # Docs say "special" without a number; the nearest tier that has one.
        "assistant.threads.setStatus": TIER_4,
        # Docs: hundreds a minute.
        "auth.test": 300,
        # Docs say "special" without a number: enough for any number of workspaces that renew their tokens.
        "oauth.v2.access": 300,
        "auth.revoke": TIER_3,
        "apps.uninstall": TIER_1,
        "files.getUploadURLExternal": TIER_4,
        "files.completeUploadExternal": TIER_4,
        # Docs: Tier 1 with bursts. Ten connections may stand and each is renewed when Slack asks, so bursts are its normal use.
        "apps.connections.open": TIER_2,
        # Docs of each method name its tier, as for all above.
        "chat.startStream": TIER_2,
        "chat.appendStream": TIER_4,
        "chat.stopStream": TIER_2,
        "chat.postEphemeral": TIER_4,
        "views.open": TIER_4,
        "views.update": TIER_4,
        "views.publish": TIER_4,
        # Reported (slack-morphism): Tier 3 both.
        "agents.sessions.setStatus": TIER_3,
        "agents.sessions.rename": TIER_3,
        # Docs say Tier 4 today and have said Tier 3.
        "assistant.threads.setSuggestedPrompts": TIER_3,
        "assistant.threads.setTitle": TIER_3,
        "conversations.join": TIER_3,
        "conversations.open": TIER_3,
        # Docs: special, hundreds a minute.
        "chat.getPermalink": 300,
        "team.info": TIER_3,
        "files.info": TIER_4,
        # Docs: a workspace-wide cap besides the one per channel; reported: several hundred a minute.
        "chat.postMessage": 300,
    }
)

POSTS_PER_SECOND = 1.0
POST_BURST = 5
"""Docs of chat.postMessage: one a second per channel, "short bursts" more. How short is not said; five is ours."""

SOCKETS = 10
"""Docs of Socket Mode: connections per app."""

SOCKET_LIFETIME_SECONDS = 18_060
"""What a real `hello` names as approximate_connection_time."""

ACK_SECONDS = 3.0
"""Docs of the Events API and of Socket Mode: an event must be acknowledged within three seconds."""

RETRY_SCHEDULE = (0.0, 60.0, 300.0)
"""Docs of the Events API: up to three retries, at once, after one minute and after five. Sockets follow the same one."""

RESPONSE_SECONDS = 1_800.0
RESPONSE_USES = 5
"""Docs of handling interaction: a response_url takes five messages within thirty minutes."""

CODE_SECONDS = 600.0
"""Docs of the OAuth flow: a code must be exchanged within ten minutes."""

TOKEN_SECONDS = 43_200
"""Docs of token rotation: a rotated token lasts twelve hours."""
