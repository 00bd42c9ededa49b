"""What the tests of surfaces share: the running adapter with its inbox, and what people see."""

from dataclasses import replace
from typing import TypeVar

from bridge.events import InboundEvent, MessageReceived
from bridge.messages import Button, ButtonAction, MessageRef, ReplyTarget
from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import Act, JsonObject
from bridge.playground.slack.views import View, Views
from tests.adapters.slack.peer import Bridge, question, target_under, until

EventT = TypeVar("EventT", bound=InboundEvent)

RATINGS = (
    Button(action=ButtonAction.LIKE, label="Good answer"),
    Button(action=ButtonAction.DISLIKE, label="Bad answer"),
)


class Hall:
    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self.server: SlackServer = bridge.server
        self.platform, self.inbox = bridge.platform, bridge.inbox

    def heard(self, kind: type[EventT]) -> list[EventT]:
        return [event for event in self.inbox.events if isinstance(event, kind)]

    async def settle(self) -> None:
        """Waits until Slack has its answers."""
        await self.server.idle(5)

    async def next(self, kind: type[EventT], number: int = 1) -> EventT:
        await until(lambda: len(self.heard(kind)) >= number, f"{number} {kind.__name__}")
        await self.settle()
        return self.heard(kind)[number - 1]

    @property
    def unseen(self) -> list[MessageReceived]:
        """Questions that were asked by a command, a form or a button."""
        return [one for one in self.heard(MessageReceived) if one.unseen]

    async def next_unseen(self, number: int = 1) -> MessageReceived:
        await until(lambda: len(self.unseen) >= number, f"{number} questions that nobody sees")
        await self.settle()
        return self.unseen[number - 1]

    async def answer(self, root: str, *buttons: Button, channel: str = "C0GENERAL") -> MessageRef:
        """A message of the bot in the thread."""
        target: ReplyTarget = target_under(self.server, channel, root)
        ref = await self.platform.send(target, replace(question("an answer"), buttons=buttons))
        await self.settle()  # it comes back to us as an event of its own
        return ref

    def modal(self, person: str = "U0GRACE", views: Views | None = None) -> View | None:
        """`views`: of another workspace than the first one."""
        opened = (views or self.server.workspace.views).opened.values()
        return next((view for view in opened if view.person == person), None)

    async def shown_modal(self, person: str = "U0GRACE", views: Views | None = None) -> View:
        await until(lambda: self.modal(person, views) is not None, "a modal")
        view = self.modal(person, views)
        assert view is not None
        return view

    async def submit(self, view: View, words: str | None, person: str = "U0GRACE") -> Act:
        act = await self.server.submit_view(person, view.id, {} if words is None else {"words": words})
        await self.settle()
        return act


def texts_in(view: View | JsonObject) -> str:
    """All that is written on it."""
    blocks = view.blocks if isinstance(view, View) else [view]
    return "\n".join(_texts(blocks))


def _texts(found: object) -> list[str]:
    if isinstance(found, list):
        return [text for one in found for text in _texts(one)]
    if isinstance(found, dict):
        own = found.get("text")
        inner = [text for one in found.values() if not isinstance(one, str) for text in _texts(one)]
        return [*([own] if isinstance(own, str) else []), *inner]
    return []
