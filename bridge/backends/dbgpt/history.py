"""What DB-GPT keeps of a conversation: its rounds, each with the question, the model's answer and what DB-GPT's pages show.

A round is written at its end. One whose stream was cut off is not there at all (agents: without an answer), one that failed has a
question and nothing else (measured on 0.8.2).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bridge.backends.dbgpt.client import DbgptClient
from bridge.backends.dbgpt.conversations import belongs_to
from bridge.errors import BackendFailed
from bridge.markdown.characters import in_one_line
from bridge.messages import BackendConversationId, BackendUser
from bridge.past_api import KeptConversation
from bridge.remote.framing import text_of

# The class of the conversation service has another default, which the application server does not use.
_PATH = "/api/v1/chat/dialogue"

MOST_LISTED = 100
"""Conversations that are looked at for titles, of all people together: one page."""

LONGEST_TITLE = 60
"""Characters. DB-GPT has no titles, only what was asked last."""


@dataclass(slots=True)
class Round:
    order: int
    """From 1 on; feedback names a round by it."""
    asked: str = ""
    answers: list[str] = field(default_factory=list)
    """Of the model. Empty where it failed."""
    view: str | None = None
    """With vis markup. Agents and data sources have their answer here."""

    @property
    def is_answered(self) -> bool:
        return bool(self.answers) or self.view is not None

    @property
    def answer(self) -> str:
        return self.answers[-1] if self.answers else ""


async def list_rounds(client: DbgptClient, conversation: BackendConversationId, max_bytes: int) -> Sequence[Round]:
    """In their order; none of a conversation that nobody knows. Raises `BackendError`."""
    data = await client.call("GET", f"{_PATH}/messages/history", query={"con_uid": conversation}, max_bytes=max_bytes)
    if not isinstance(data, list):
        raise BackendFailed("the history has no list of messages", code="no_history")
    rounds: dict[int, Round] = {}
    for message in data:
        if not isinstance(message, dict) or not isinstance(order := message.get("order"), int):
            continue
        one = rounds.setdefault(order, Round(order))
        match text_of(message, "role"):
            case "human":
                one.asked = text_of(message, "context")
            case "ai":
                one.answers.append(text_of(message, "context"))
            case "view":
                one.view = text_of(message, "context")
            case _:
                pass
    return [rounds[order] for order in sorted(rounds)]


async def list_conversations(
    client: DbgptClient, user: BackendUser, limit: int, max_bytes: int
) -> Sequence[KeptConversation]:
    """Those that were begun for this `user`, the latest first, by what was asked last. DB-GPT tells everybody of everybody's (the
    name that one sends changes nothing on 0.8.2), so that they are told apart here. Raises `BackendError`."""
    query = {"page": "1", "page_size": str(MOST_LISTED)}
    data = await client.call("GET", f"{_PATH}/list", query=query, max_bytes=max_bytes)
    if not isinstance(data, list):
        raise BackendFailed("the list of conversations is none", code="no_list")
    found = []
    for one in data:
        name = BackendConversationId(text_of(one, "conv_uid")) if isinstance(one, dict) else BackendConversationId("")
        if name and belongs_to(name, user):
            found.append(KeptConversation(id=name, title=in_one_line(text_of(one, "user_input"), LONGEST_TITLE)))
    return found[:limit]


async def delete_rounds(client: DbgptClient, conversation: BackendConversationId) -> None:
    """Of a conversation that is not there too. Raises `BackendError`."""
    await client.call("POST", f"{_PATH}/delete", query={"con_uid": conversation})
