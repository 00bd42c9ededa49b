"""The bot's own page, and the questions that it suggests to who opens its messages."""

from collections.abc import Awaitable, Iterator, Sequence

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.slack.addresses import read_address, read_private, write_action_id
from adapters.slack.dialect import DIALECT
from adapters.slack.web.clients import Clients
from adapters.slack.writing.blocks import one_line
from adapters.slack.writing.ladder import MISSING, Feature, Ladder
from bridge import logs
from bridge.errors import PlatformError
from bridge.messages import Author, ButtonAction, ReplyTarget
from bridge.platform_api import Home

log = logs.get("slack")

SECTION_CHARS = 3_000
"""Of the text of a section (Slack's page on the block). Longer texts take several."""

MOST_SECTIONS = 10
"""Of one text (ours); the page takes a hundred blocks."""

MOST_PROMPTS = 4
"""Slack's page on assistant.threads.setSuggestedPrompts."""

PROMPT_TITLE_CHARS = 75
PROMPT_CHARS = 2_000
TITLE_CHARS = 150
"""Ours: Slack names no number [?]; the first is that of a button, which is what a suggestion looks like."""

NOT_HERE = MISSING | {"channel_type_not_supported", "invalid_thread_ts", "thread_not_found"}
"""What Slack answers where the app is no agent, or the method is not for it; the same every time."""

Block = dict[str, object]


class Homes:
    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def show(self, target: ReplyTarget, author: Author, home: Home) -> None:
        """As `ShowsHome.show_home` promises."""
        channel, team = target.conversation.channel, target.conversation.installation
        view: Block = {"type": "home", "blocks": write_home(home), "private_metadata": channel}

        def call(client: AsyncWebClient) -> Awaitable[AsyncSlackResponse]:
            return client.views_publish(user_id=author.id, view=view)

        await self._clients.ask(team, "views.publish", call, again=True)


class Prompts:
    def __init__(self, clients: Clients, ladder: Ladder) -> None:
        self._clients = clients
        self._ladder = ladder

    async def suggest(self, target: ReplyTarget, title: str, prompts: Sequence[str]) -> None:
        """As `SuggestsPrompts.suggest_prompts` promises."""
        team, channel = target.conversation.installation, target.conversation.channel
        # An agent's suggestions belong to the whole chat; with a thread the call is reported to do nothing. Apps from before
        # agents have a thread for each chat.
        thread = None if read_private(target.address) else read_address(target.address).ts
        offered = [
            {"title": one_line(prompt, PROMPT_TITLE_CHARS), "message": prompt.strip()[:PROMPT_CHARS]}
            for prompt in prompts
            if prompt.strip()
        ][:MOST_PROMPTS]
        if not offered or not self._ladder.allows(Feature.PROMPTS, team):
            return

        def call(client: AsyncWebClient) -> Awaitable[AsyncSlackResponse]:
            arguments: dict[str, object] = {
                "channel_id": channel,
                "title": one_line(title, TITLE_CHARS),
                "prompts": offered,
            }
            # slack_sdk's own method for it demands a thread.
            return client.api_call(
                "assistant.threads.setSuggestedPrompts",
                json=arguments | ({"thread_ts": thread} if thread else {}),
            )

        try:
            await self._clients.ask(team, "assistant.threads.setSuggestedPrompts", call, again=True)
        except PlatformError as error:
            if error.code not in NOT_HERE:
                raise
            self._ladder.step_down(Feature.PROMPTS, error.code, team)


def write_home(home: Home) -> list[Block]:
    """The page as blocks; Markdown has no place on it (Slack's page on the Markdown block), so that it is mrkdwn."""
    blocks = list(_sections(home.greeting))
    if home.apps:
        blocks += [_divider(), *_sections("\n".join(["**Who answers here**", "", *(f"- {app}" for app in home.apps)]))]
    if home.usage:
        blocks += [_divider(), *_sections(home.usage)]
    if home.help:
        blocks += [_divider(), *_sections(home.help)]
    if home.may_reset:
        blocks += [_divider(), {"type": "actions", "elements": [_reset()]}]
    return blocks or [_section("…")]


def _sections(text: str) -> Iterator[Block]:
    """A section for as many paragraphs as go into one."""
    written = ""
    number = 0
    for paragraph in _paragraphs(text):
        if written and len(written) + len(paragraph) + 2 > SECTION_CHARS:
            yield _section(written)
            written, number = "", number + 1
            if number >= MOST_SECTIONS:
                return
        written = f"{written}\n\n{paragraph}" if written else paragraph
    if written:
        yield _section(written)


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        mrkdwn = str(DIALECT.payload(paragraph, {}, fallback=True)["text"]).strip()
        if len(mrkdwn) <= SECTION_CHARS:
            yield from [mrkdwn] if mrkdwn else []
            continue
        # Line by line what is cut stays well formed; a line of that length is no help to anybody.
        for line in paragraph.splitlines():
            mrkdwn = str(DIALECT.payload(line, {}, fallback=True)["text"]).strip()
            if mrkdwn and len(mrkdwn) <= SECTION_CHARS:
                yield mrkdwn


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _divider() -> Block:
    return {"type": "divider"}


def _reset() -> Block:
    return {
        "type": "button",
        "action_id": write_action_id(ButtonAction.RESET),
        "text": _plain("Begin a new conversation"),
        "value": ButtonAction.RESET.value,
        "confirm": {
            "title": _plain("Begin anew?"),
            "text": _plain("I forget what was said in our direct messages. The messages stay where they are."),
            "confirm": _plain("Forget it"),
            "deny": _plain("Keep it"),
        },
    }


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}
