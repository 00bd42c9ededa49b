"""Files of people: where their bytes lie, who gets them, and how that goes wrong.

Who comes without a token that may read files is answered with 200 and a page to sign in, as the real one does.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from urllib.parse import quote

from aiohttp import web

from bridge.playground.slack.arguments import Arguments
from bridge.playground.slack.files import wire_file
from bridge.playground.slack.model import File, JsonObject, Refusal
from bridge.playground.slack.workspace import Workspace

_SIGN_IN = "<!DOCTYPE html><html><head><title>Sign in | Slack</title></head><body>Sign in to Playground</body></html>"


class Downloads:
    """The address that files are fetched from. One for all workspaces."""

    def __init__(self, workspace_of: Callable[[str], Workspace | None]) -> None:
        """`workspace_of`: whose bot a token is; None for a token of nobody."""
        self.address = ""
        """"http://host:port" once the stand-in listens."""
        self.redirect_to: str | None = None
        """Every file is answered with a redirect to there."""
        self.cut_to: int | None = None
        """Every file ends after so many bytes, as if that were all."""
        self.answer_with = 200
        """Another status than 200: it is all that comes."""
        self.fetched: list[str] = []
        """Ids of the files that were handed out whole or in part."""
        self._workspace_of = workspace_of
        self._files: dict[str, File] = {}
        self._made = 0

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/files-pri/{file_id}/{name}", self._answer)
        app.router.add_get("/files-pri/{file_id}/download/{name}", self._answer)

    def put(self, files: Iterable[File]) -> list[File]:
        """Makes files known and gives them the address that they are fetched from. What Slack does not keep has none."""
        return [self._put(file) for file in files]

    def find(self, file_id: str) -> File | None:
        return self._files.get(file_id)

    def info(self, workspace: Workspace, args: Arguments) -> JsonObject:
        """files.info. Shows a file only to a bot that can see a message with it."""
        file = self._files.get(args.required("file", "file_not_found"))
        if file is None or not _sees(workspace, file.id):
            raise Refusal("file_not_found")
        if file.mode == "tombstone":
            raise Refusal("file_deleted")
        return {"file": wire_file(file, known=True), "comments": [], "response_metadata": {"next_cursor": ""}}

    def _put(self, file: File) -> File:
        if file.mode == "hosted":
            url = f"{self.address}/files-pri/{file.id}/{quote(file.name, safe='')}"
            file = replace(file, url_private=url, size=file.size or len(file.content))
        self._files[file.id] = file
        return file

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        workspace = self._workspace_of(token.strip()) if scheme.lower() == "bearer" else None
        if workspace is None or "files:read" not in workspace.scopes:
            return web.Response(text=_SIGN_IN, content_type="text/html")
        file = self._files.get(request.match_info["file_id"])
        if file is None or file.mode != "hosted" or not _sees(workspace, file.id):
            return web.Response(status=404, text="no such file")
        if self.answer_with != 200:
            return web.Response(status=self.answer_with)
        if self.redirect_to is not None:
            raise web.HTTPFound(self.redirect_to)
        self.fetched.append(file.id)
        response = web.Response(body=file.content[: self.cut_to])
        # As it was named, so that even HTML comes as what it is.
        response.headers["Content-Type"] = file.mimetype
        return response


class ForeignHost:
    """An address that is not Slack's: hands out what is asked for and writes down which tokens it was sent."""

    def __init__(self, content: bytes = b"not Slack's") -> None:
        self.authorizations: list[str | None] = []
        """The `Authorization` header of each request; None where there was none."""
        self._content = content
        self._runner: web.AppRunner | None = None

    async def start(self) -> str:
        """Listens, and returns its address: another host name and another port than the stand-in's."""
        app = web.Application()
        app.router.add_get("/{tail:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.5, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return f"http://localhost:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.authorizations.append(request.headers.get("Authorization"))
        return web.Response(body=self._content, content_type="application/octet-stream")


def _sees(workspace: Workspace, file_id: str) -> bool:
    return any(
        file.id == file_id
        for channel in workspace.channels.values()
        if workspace.bot_user_id in channel.members
        for message in workspace.messages(channel.id)
        for file in message.files
    )
