"""What a question can be put to in DB-GPT, and how each of these ways answers."""

from dataclasses import dataclass
from enum import StrEnum


class ChatMode(StrEnum):
    """Spelled as `chat_mode` of DB-GPT's API."""

    NORMAL = "chat_normal"
    KNOWLEDGE = "chat_knowledge"
    DATA = "chat_data"
    DATABASE = "chat_with_db_qa"
    DASHBOARD = "chat_dashboard"
    APP = "chat_app"
    FLOW = "chat_flow"


class Kind(StrEnum):
    """What DB-GPT lists, spelled as in DBGPT_CHOICES."""

    KNOWLEDGE = "knowledge"
    DATASOURCE = "datasources"
    APP = "apps"
    FLOW = "flows"
    MODEL = "models"


NEEDS = {
    ChatMode.KNOWLEDGE: Kind.KNOWLEDGE,
    ChatMode.DATA: Kind.DATASOURCE,
    ChatMode.DATABASE: Kind.DATASOURCE,
    ChatMode.DASHBOARD: Kind.DATASOURCE,
    ChatMode.APP: Kind.APP,
    ChatMode.FLOW: Kind.FLOW,
}
"""What `chat_param` names in each mode; a mode that is not here takes none."""

WORKING_NOTES = frozenset({ChatMode.DATA, ChatMode.DASHBOARD})
"""These stream what the model noted down for the server, as JSON. The answer itself stands in the history (measured on 0.8.2)."""

SNAPSHOTS = frozenset({ChatMode.APP})
"""These stream the whole answer again with every frame, the others what came to it."""

KEEPS_ROUNDS = frozenset(ChatMode) - {ChatMode.FLOW}
"""These store every round in the conversation's history. Whether a flow does is up to its author."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What one question is put to."""

    mode: ChatMode
    param: str = ""
    """The name of a knowledge space or data source, the code of an app, the uid of a flow."""
    model: str = ""
    """Empty: DB-GPT's default."""
