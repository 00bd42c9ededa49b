"""What the tests of writing share: live messages, who asks, and what stands at the stand-in."""

from collections.abc import Sequence

from bridge.messages import (
    Author,
    Button,
    ButtonAction,
    OutgoingMessage,
    PersonId,
    PlatformName,
    Step,
    StepState,
)
from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import Call, Message
from bridge.playground.slack.streams import Stream

START, APPEND, STOP = "chat.startStream", "chat.appendStream", "chat.stopStream"
POST, UPDATE = "chat.postMessage", "chat.update"

ADA = Author(platform=PlatformName("slack"), id=PersonId("U0ADA"), display_name="Ada")

RATINGS = (
    Button(action=ButtonAction.LIKE, label="Good answer"),
    Button(action=ButtonAction.DISLIKE, label="Bad answer"),
)
STOP_BUTTON = Button(action=ButtonAction.STOP, label="Stop")
RETRY = Button(action=ButtonAction.RETRY, label="Try again")


def ask(text: str) -> Button:
    return Button(action=ButtonAction.ASK, label=text, value=text)


def live(text: str, *steps: Step, nonce: str = "n1", asker: Author | None = ADA) -> OutgoingMessage:
    return OutgoingMessage(text=text, nonce=nonce, live=True, asker=asker, steps=steps)


def final(
    text: str,
    *buttons: Button,
    steps: Sequence[Step] = (),
    sources: Sequence[str] = (),
    nonce: str = "n1",
) -> OutgoingMessage:
    return OutgoingMessage(
        text=text, nonce=nonce, asker=ADA, buttons=buttons, steps=tuple(steps), sources=tuple(sources)
    )


def step(name: str, state: StepState = StepState.RUNNING) -> Step:
    return Step(id=name, title=f"Step {name}", state=state)


def methods(server: SlackServer) -> list[str]:
    """What was called, in order."""
    return [call.method for call in server.calls]


def calls(server: SlackServer, method: str) -> list[Call]:
    return [call for call in server.calls if call.method == method]


def answer(server: SlackServer, root: str) -> Message:
    """The only message of the bot in the thread."""
    (found,) = [message for message in server.messages("C0GENERAL", root) if message.is_bot]
    return found


def stream(server: SlackServer, root: str) -> Stream:
    return server.workspace.streams["C0GENERAL", answer(server, root).ts]


def texts(server: SlackServer, root: str) -> list[str]:
    """What the bot's messages in the thread say."""
    return [message.visible_text for message in server.messages("C0GENERAL", root) if message.is_bot]
