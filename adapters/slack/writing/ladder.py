"""What a workspace or a channel has shown not to have, and since when: each such step down is made once and tried again later."""

from collections.abc import Mapping
from enum import StrEnum

from adapters.slack.web.remembering import remember
from bridge import logs
from bridge.clock import Clock

log = logs.get("slack")

MOST_STEPS = 1_000
"""Steps down that are remembered, the latest; what is forgotten costs one refused call."""


class Feature(StrEnum):
    """Something that Slack does not have everywhere."""

    STREAMS = "streams"
    TASKS = "tasks"
    EDITS = "edits"
    RATINGS = "native ratings"
    SESSIONS = "agent sessions"
    STATUS = "status line"
    REACTION = "working reaction"
    PROMPTS = "suggested prompts"


INSTEAD: Mapping[Feature, str] = {
    Feature.STREAMS: "answers are posted and edited",
    Feature.TASKS: "the steps of an answer are not listed",
    Feature.EDITS: "answers are posted once, when they are complete",
    Feature.RATINGS: "ratings are plain buttons",
    Feature.SESSIONS: "the status line is used",
    Feature.STATUS: "a reaction shows that an answer is being worked on",
    Feature.REACTION: "nothing shows that an answer is being worked on",
    Feature.PROMPTS: "no questions are suggested",
}
"""What happens without it."""

MISSING = frozenset(
    {
        "feature_disabled",
        "feature_not_enabled",
        "method_deprecated",
        "missing_scope",
        "not_allowed_token_type",
        "team_access_not_granted",
        "unknown_method",
    }
)
"""Codes that will be the same next time, anywhere in the workspace (Slack's pages on the methods)."""

NOT_IN_THIS_CHANNEL = frozenset(
    {
        "access_denied",
        "channel_type_not_supported",
        "missing_recipient_team_id",
        "missing_recipient_user_id",
        "restricted_action",
    }
)
"""Codes that say so of one channel only, the same pages and what GovSlack and some workspaces answer."""


class Ladder:
    def __init__(self, clock: Clock, *, retry: float) -> None:
        """`retry`: seconds after which a feature is tried again, since somebody may have mended it."""
        self._clock = clock
        self._retry = retry
        self._off: dict[tuple[Feature, str, str], tuple[float, str]] = {}

    def allows(self, feature: Feature, team: str, channel: str = "") -> bool:
        return not (self._is_off(feature, team, "") or (channel and self._is_off(feature, team, channel)))

    def step_down(self, feature: Feature, code: str, team: str, channel: str = "") -> None:
        """Does without it for a while: in the workspace or, with `channel`, only there."""
        known = not self.allows(feature, team, channel)
        remember(self._off, (feature, team, channel), (self._clock.monotonic() + self._retry, code), MOST_STEPS)
        if not known:
            log.warning(
                "stepped_down", feature=feature.value, code=code, team=team, channel=channel, instead=INSTEAD[feature]
            )

    def reasons(self) -> list[str]:
        """A line for each step that holds now, for an operator."""
        return [
            f"no {feature.value} in {channel or team} ({code}): {INSTEAD[feature]}"
            for (feature, team, channel), (until, code) in self._off.items()
            if until > self._clock.monotonic()
        ]

    def _is_off(self, feature: Feature, team: str, channel: str) -> bool:
        until, _ = self._off.get((feature, team, channel), (0.0, ""))
        return until > self._clock.monotonic()
