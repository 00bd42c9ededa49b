"""What Slack delivers, by kind, and what it may be told in return. What the payloads mean is `inbound`'s affair."""

from collections.abc import Mapping
from dataclasses import dataclass

EVENT = "event_callback"
COMMAND = "command"
"""Our word for a slash command, the one payload without a type (Slack's page on slash commands)."""

INTERACTIONS = frozenset({"block_actions", "view_submission", "view_closed", "message_action", "shortcut", COMMAND})
"""What a person does and waits to see the effect of. Slack delivers it once, and after three seconds tells the person that it
failed (Slack's pages on handling interactivity and on slash commands)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Goes back to Slack with the acknowledgement of an interaction: what a modal does next, or an ephemeral text."""

    body: Mapping[str, object]
    """JSON values, such as {"response_action": "errors", ...} or {"response_type": "ephemeral", "text": ...}."""


def kind_of(payload: Mapping[str, object]) -> str:
    """The payload's type, `COMMAND`, or "unknown"."""
    kind = payload.get("type")
    if isinstance(kind, str) and kind:
        return kind
    return COMMAND if isinstance(payload.get("command"), str) else "unknown"
