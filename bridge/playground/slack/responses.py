"""Response addresses: where an app answers what somebody just did, a few times and for a while, and what it may say there."""

import json
from dataclasses import dataclass

from aiohttp import web

from bridge.clock import Clock
from bridge.playground.slack import limits
from bridge.playground.slack.checks import check_message
from bridge.playground.slack.content import escape_loose
from bridge.playground.slack.model import Channel, JsonObject, Message, Refusal
from bridge.playground.slack.surfaces import Ephemeral
from bridge.playground.slack.workspace import Workspace


@dataclass(slots=True, kw_only=True)
class Reply:
    """Where an answer goes: to whom, and what it may replace."""

    workspace: Workspace
    channel: Channel
    person: str
    original: Message | Ephemeral | None = None
    thread_ts: str | None = None
    """The thread that only-visible-to-you answers appear in unless the app names one."""


@dataclass(slots=True, kw_only=True)
class _Address:
    reply: Reply
    made_at: float
    uses: int = 0


class Responses:
    """All response addresses of the app."""

    def __init__(self, clock: Clock) -> None:
        self.address = ""
        """"http://host:port" once the stand-in listens."""
        self._clock = clock
        self._made: dict[str, _Address] = {}

    def add_to(self, app: web.Application) -> None:
        app.router.add_route("*", "/response/{ticket}", self._respond)

    def make(self, reply: Reply) -> str:
        ticket = f"{reply.workspace.team_id}-{len(self._made) + 1}"
        self._made[ticket] = _Address(reply=reply, made_at=self._clock.monotonic())
        return f"{self.address}/response/{ticket}"

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        """Errors and their statuses as other projects report them; Slack's pages name none."""
        if request.method != "POST":
            return web.Response(status=405)
        known = self._made.get(request.match_info["ticket"])
        if known is None:
            return _refuse(404, "no_service")
        if self._clock.monotonic() - known.made_at > limits.RESPONSE_SECONDS:
            return _refuse(404, "expired_url")
        if known.uses >= limits.RESPONSE_USES:
            return _refuse(404, "used_url")
        try:
            body: object = json.loads(await request.text())
        except ValueError:
            body = None
        if not isinstance(body, dict):
            return _refuse(400, "invalid_payload")
        try:
            answer(known.reply, body)
        except Refusal as e:
            return _refuse(400, e.code)
        known.uses += 1
        return web.Response(text="ok")


def answer(reply: Reply, body: JsonObject) -> None:
    """Shows what an app says to what somebody did. Raises `Refusal`."""
    text, blocks = _content(body)
    if body.get("delete_original") is True:
        _delete(reply)
    elif not text.strip() and not blocks:
        raise Refusal("no_text")
    elif body.get("replace_original") is True:
        _replace(reply, text, blocks)
    elif body.get("response_type", "ephemeral") == "in_channel":
        workspace, thread_ts = reply.workspace, _thread(body)
        workspace.post(
            reply.channel,
            workspace.bot_user_id,
            text,
            blocks=blocks,
            thread_ts=thread_ts,
            is_bot=True,
            bot_id=workspace.bot_id,
        )
    else:
        shown = Ephemeral(
            channel=reply.channel.id,
            person=reply.person,
            ts=reply.workspace.next_ts(),
            text=escape_loose(text),
            blocks=blocks,
            thread_ts=_thread(body) or reply.thread_ts,
        )
        reply.workspace.ephemerals.append(shown)
        reply.workspace.changed()


def _content(body: JsonObject) -> tuple[str, list[JsonObject]]:
    text, blocks = body.get("text") or "", body.get("blocks") or []
    if not isinstance(text, str):
        raise Refusal("invalid_payload")
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise Refusal("invalid_blocks_format")
    if len(escape_loose(text)) > limits.POST_TEXT_CHARS:
        raise Refusal("msg_too_long")
    check_message(text, blocks)
    return text, blocks


def _thread(body: JsonObject) -> str | None:
    thread_ts = body.get("thread_ts")
    if thread_ts is None or isinstance(thread_ts, str):
        return thread_ts or None
    raise Refusal("invalid_payload")


def _replace(reply: Reply, text: str, blocks: list[JsonObject]) -> None:
    match reply.original:
        case Message() as message:
            reply.workspace.edit(message, text, blocks)
        case Ephemeral() as ephemeral:
            ephemeral.text, ephemeral.blocks = escape_loose(text), blocks
            reply.workspace.changed()
        case None:
            # A command leaves nothing that could be replaced. What Slack does then is not documented.
            raise Refusal("invalid_payload")


def _delete(reply: Reply) -> None:
    match reply.original:
        case Message() as message:
            reply.workspace.delete(message)
        case Ephemeral() as ephemeral:
            if ephemeral in reply.workspace.ephemerals:
                reply.workspace.ephemerals.remove(ephemeral)
            reply.workspace.changed()
        case None:
            raise Refusal("invalid_payload")


def _refuse(status: int, error: str) -> web.Response:
    return web.json_response({"ok": False, "error": error}, status=status)
