"""How often Slack can be written to, as one literal. Each number with its source. How much a message holds: see `dialect`."""

from datetime import timedelta

from bridge.platform_api import PlatformCapabilities, WriteBudget

CAPABILITIES = PlatformCapabilities(
    # Options of a menu (Slack's page on select menus).
    app_buttons=100,
    # chat.postMessage: "1 per second per channel", short bursts tolerated (Slack's page on rate limits).
    post_budget=WriteBudget(limit=4, window=timedelta(seconds=4)),
    # chat.update is tier 3, "50+ per minute" per workspace (Slack's page on the method); two are left as a margin.
    edit_budget=WriteBudget(limit=48, window=timedelta(seconds=60)),
    # A person follows about this many changes; it is also the pace of a single answer at the tier above.
    min_edit_interval=timedelta(seconds=1.2),
    # A status disappears after two minutes (Slack's page on assistant.threads.setStatus).
    activity_every=timedelta(seconds=75),
    buttons=True,
    rating_buttons=True,
    # One row of a desktop window; more would hide the answer (ours, see `writing.blocks.MOST_QUESTIONS`).
    question_buttons=4,
    steps=True,
    # Slack has no threads with members of their own.
    open_threads=True,
    sources=True,
    # chat.appendStream is tier 4, "100+ per minute" per workspace for all its streams together (Slack's page on the method); a
    # few are left as a margin.
    live_budget=WriteBudget(limit=94, window=timedelta(seconds=60)),
    # The pace of a single stream at that tier; the more there are, the longer each pauses.
    min_live_interval=timedelta(milliseconds=650),
    # chat.stopStream is tier 2, "20+ per minute" per workspace (Slack's page on the method). It never waits for it: no more
    # streams begin than may end, see `writing.quotas`.
    end_budget=WriteBudget(limit=20, window=timedelta(seconds=60)),
    # What ends before that is posted whole: a stream takes two of the scarce calls of tier 2 (the same pages).
    first_hold=timedelta(milliseconds=800),
    first_hold_text=200,
)
