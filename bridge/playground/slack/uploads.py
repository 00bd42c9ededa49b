"""Files from the bot: an address to upload to, the bytes, and sharing, which happens some time after it was accepted.

Slack's pages on files.getUploadURLExternal and files.completeUploadExternal; what is ours is said to be.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from mimetypes import guess_type
from urllib.parse import quote

from aiohttp import BodyPartReader, web

from bridge.clock import Clock
from bridge.playground.slack import limits
from bridge.playground.slack.arguments import Arguments
from bridge.playground.slack.content import live_mentions
from bridge.playground.slack.model import Channel, File, JsonObject, Refusal
from bridge.playground.slack.workspace import Workspace
from bridge.playground.slack.writing import WritingMethods

_LARGEST_NUMBER = 19
"""Digits of a length that is worth reading. Ours."""


@dataclass(slots=True, kw_only=True)
class _Ticket:
    """An upload from its address to its completion."""

    file_id: str
    name: str
    length: int
    content: bytes | None = None


class Uploads:
    """Two methods of the Web API, the address that bytes are posted to, and the address that a page downloads from."""

    def __init__(
        self,
        workspace: Workspace,
        writing: WritingMethods,
        clock: Clock,
        put: Callable[[Iterable[File]], list[File]],
    ) -> None:
        """`put`: makes files known to whoever hands them out again."""
        self.address = ""
        """"http://host:port" once the stand-in listens; what the bot is told to upload to lies there."""
        self.share_delay = limits.SHARE_SECONDS
        """Seconds between completing an upload and its message. May be changed at any time."""
        self.dropped = 0
        """How many of the next completed uploads are accepted and then never shared."""
        self.answer_with = 200
        """Another status than 200: the upload address answers with it and takes nothing."""
        self._workspace = workspace
        self._writing = writing
        self._clock = clock
        self._put = put
        self._tickets: dict[str, _Ticket] = {}
        self._contents: dict[str, tuple[File, bytes]] = {}
        self._sharing: set[asyncio.Task[None]] = set()
        self._made = 0

    def add_to(self, app: web.Application) -> None:
        app.router.add_route("*", "/upload/v1/{ticket}", self.receive)
        app.router.add_get("/control/files/{file_id}/{name}", self.download)

    def number_from(self, number: int) -> None:
        """Later ids begin above this number, so that those of two workspaces differ."""
        self._made = number

    def knows(self, file_id: str) -> bool:
        return file_id in self._tickets or file_id in self._contents

    async def stop(self) -> None:
        """What was not shared yet never is."""
        for task in self._sharing:
            task.cancel()
        await asyncio.gather(*self._sharing, return_exceptions=True)

    def content(self, file_id: str) -> bytes | None:
        """What was uploaded; None for a file that only ever was a description."""
        known = self._contents.get(file_id)
        return None if known is None else known[1]

    def link(self, file_id: str) -> str:
        """Where a person's browser gets the file; empty when there is none. Ours: Slack's own links want a signed-in browser."""
        known = self._contents.get(file_id)
        return "" if known is None else f"{self.address}/control/files/{file_id}/{quote(known[0].name, safe='')}"

    def get_url(self, args: Arguments) -> JsonObject:
        name = args.required("filename")
        length = args.required("length")
        if not (length.isascii() and length.isdecimal() and len(length) < _LARGEST_NUMBER):
            raise Refusal("invalid_arguments")
        if int(length) == 0:
            raise Refusal("missing_argument")
        self._made += 1
        ticket = _Ticket(file_id=f"F0UPLOAD{self._made:04}", name=name, length=int(length))
        self._tickets[ticket.file_id] = ticket
        return {"upload_url": f"{self.address}/upload/v1/{ticket.file_id}", "file_id": ticket.file_id}

    def complete(self, args: Arguments) -> JsonObject:
        wanted = _read_files(args)
        channel_id = args.text("channel_id")
        channel = None if channel_id is None else self._writing.writable(channel_id)
        thread_ts = args.text("thread_ts")
        if thread_ts is not None:
            if channel is None:
                raise Refusal("invalid_arguments")
            self._workspace.find_root(channel.id, thread_ts)
        comment = args.text("initial_comment") or ""
        tickets = [self._tickets.get(file_id) for file_id, _ in wanted]
        if not all(ticket is not None and ticket.content is not None for ticket in tickets):
            raise Refusal("file_not_found")
        files = tuple(self._finish(file_id, title) for file_id, title in wanted)
        if channel is not None and self.dropped:
            # Reported (centaur pull 311): now and then Slack says yes and nothing ever appears.
            self.dropped -= 1
        elif channel is not None:
            task = asyncio.create_task(self._share(channel, thread_ts, comment, files))
            self._sharing.add(task)
            task.add_done_callback(self._sharing.discard)
        return {"files": [{"id": file.id, "title": file.title} for file in files]}

    def _finish(self, file_id: str, title: str | None) -> File:
        """Once only: afterwards the ticket is gone."""
        ticket = self._tickets.pop(file_id)
        content = ticket.content or b""
        kind = guess_type(ticket.name)[0] or "application/octet-stream"
        (file,) = self._put(
            [File(id=file_id, name=ticket.name, title=title or ticket.name, mimetype=kind, content=content)]
        )
        self._contents[file_id] = (file, content)
        return file

    async def _share(self, channel: Channel, thread_ts: str | None, comment: str, files: tuple[File, ...]) -> None:
        await self._clock.sleep(self.share_delay)
        try:
            message = self._workspace.post(
                channel,
                self._workspace.bot_user_id,
                comment,
                thread_ts=thread_ts,
                is_bot=True,
                bot_id=self._workspace.bot_id,
                files=files,
            )
        except Refusal:
            return  # the thread was deleted meanwhile
        for text in (text for file in files for text in (file.name, file.title)):
            # What Slack makes of a mention in a name is not documented, so none may stand there.
            self._workspace.pings.extend((message.ts, token) for token in live_mentions(text, (), link_names=True))

    async def receive(self, request: web.Request) -> web.StreamResponse:
        ticket = self._tickets.get(request.match_info["ticket"])
        if request.method != "POST":
            return web.Response(status=405)
        if "Authorization" in request.headers or "token" in request.query:
            # Ours: the address is the whole authority here, and a token on its way to a file host is a token lost.
            return web.Response(status=403, text="this address wants no token")
        if self.answer_with != 200:
            return web.Response(status=self.answer_with)
        if ticket is None or ticket.content is not None:
            return web.Response(status=404, text="no such upload")
        content = await _read_content(request)
        if len(content) != ticket.length:
            return web.Response(status=400, text=f"{ticket.length} bytes were announced, {len(content)} came")
        ticket.content = content
        return web.Response(text=f"OK - {len(content)}")

    async def download(self, request: web.Request) -> web.StreamResponse:
        known = self._contents.get(request.match_info["file_id"])
        if known is None:
            return web.Response(status=404, text="no such file")
        response = web.Response(body=known[1], content_type="application/octet-stream")
        response.headers["Content-Disposition"] = "attachment"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def _read_files(args: Arguments) -> list[tuple[str, str | None]]:
    """(id, title) of each file. Slack takes 1 to 100 of them."""
    listed = args.structure("files", "invalid_arguments")
    if not isinstance(listed, list) or not 1 <= len(listed) <= limits.FILES:
        raise Refusal("invalid_arguments")
    files: list[tuple[str, str | None]] = []
    for one in listed:
        match one:
            case {"id": str(file_id), "title": str(title)}:
                files.append((file_id, title))
            case {"id": str(file_id), **rest} if "title" not in rest:
                files.append((file_id, None))
            case _:
                raise Refusal("invalid_arguments")
    return files


async def _read_content(request: web.Request) -> bytes:
    """Raw bytes, or the one file of a form. Empty, which no upload is, for a form with none or several."""
    if request.content_type != "multipart/form-data":
        return await request.read()
    contents = [
        bytes(await part.read()) async for part in await request.multipart() if isinstance(part, BodyPartReader)
    ]
    return contents[0] if len(contents) == 1 else b""
