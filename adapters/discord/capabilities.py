"""What Discord can take, each number with its source. How much text a message holds: see `dialect`."""

from datetime import timedelta

from bridge.platform_api import PlatformCapabilities, WriteBudget

MAX_NONCE = 25
"""Most characters of a message's nonce (API reference, Create Message)."""

MAX_MENTIONED = 100
"""Most people in `allowed_mentions` (API reference, Allowed Mentions Object)."""

MAX_BUTTONS = 5
"""Most buttons in one row (components reference, Action Row)."""

MAX_ROWS = 5
"""Most rows below one message (components reference, Action Row)."""

MAX_OPTIONS = 25
"""Most options of a menu (components reference, String Select)."""

MAX_BUTTON_LABEL = 80
"""Most characters on a button (components reference, Button)."""

MAX_CUSTOM_ID = 100
"""Most characters of a component's `custom_id` (components reference, Custom ID)."""

MAX_CONTENT = 2_000
"""Most characters of a message (API reference, Create Message)."""

MAX_TAGS = 5
"""Most tags of a forum post (API reference, Channel Object, applied_tags)."""

TOKEN_LASTS = timedelta(minutes=15)
"""For how long an interaction's webhook can be used (Discord documentation, Receiving and Responding)."""

MAX_FOLLOW_UPS = 5
"""Most messages, besides the first answer, where the app is installed for the person alone (Discord documentation, the same)."""

MAX_HISTORY = 100
"""Most messages that one call lists (API reference, Get Channel Messages)."""

ANSWER_A_PRESS = timedelta(seconds=3)
"""Time in which a press must be answered (Discord documentation, Responding to an Interaction)."""

MAX_FILE_BYTES = 10 * 2**20
"""Largest file that a bot can attach in every server (API reference, Uploading Files); boosted servers take more."""

MAX_REQUEST_BYTES = 25 * 2**20
"""Largest request of all (API reference, Uploading Files)."""

MAX_THREAD_NAME = 100
"""Most characters of a thread's name (API reference, Start Thread from Message)."""

ALL_CALLS = WriteBudget(limit=45, window=timedelta(seconds=1.05))
"""Calls of the whole bot but answers to interactions. Discord takes 50 a second (Discord documentation, Global Rate Limit),
counted when they arrive, which is not as evenly as they leave."""

CAPABILITIES = PlatformCapabilities(
    # Discord documents no numbers and tells clients to read the headers; in practice 5 per 5 s and channel for new
    # messages, and the same again for edits (what other bots measured). The window is longer by a quarter of a second,
    # since Discord's starts when the request arrives there, not when it leaves here.
    post_budget=WriteBudget(limit=5, window=timedelta(seconds=5.25)),
    edit_budget=WriteBudget(limit=5, window=timedelta(seconds=5.25)),
    # Measured against 5 edits per 5 s: at 1.25 s the final edit was never late, at 0.5 s by up to 2.3 s.
    min_edit_interval=timedelta(seconds=1.25),
    # The typing indicator is shown for 10 s (API reference, Trigger Typing Indicator).
    activity_every=timedelta(seconds=8),
    # Of all calls; the rest is for typing, threads and look-ups, which only wait at the turnstile.
    total_budget=WriteBudget(limit=40, window=timedelta(seconds=1)),
    buttons=True,
    rating_buttons=True,
    again_button=True,
    app_buttons=MAX_OPTIONS,
    # A row holds five.
    question_buttons=MAX_BUTTONS,
    sources=True,
)
