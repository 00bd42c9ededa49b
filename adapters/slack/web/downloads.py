"""Files that members attach: looked up, and fetched from Slack's own hosts with the bot's token, which goes nowhere else."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import aiohttp
from yarl import URL

from adapters.slack.addresses import read_file
from adapters.slack.web.clients import Clients
from bridge import logs
from bridge.errors import FileTooLarge, MessageGone, NotAllowed, PlatformError, PlatformUnavailable, RateLimited
from bridge.messages import Attachment

log = logs.get("slack")

SLACKS_DOMAINS = ("slack.com", "slack-gov.com")
"""Files lie on files.<domain>; commands and presses are answered on hooks.<domain> (Slack's pages on working with files and on
responding to interactions; GovSlack has the second one)."""

MOST_REDIRECTS = 3

PIECE = 256 * 1024
"""Bytes that are held at once."""

_NOT_HAD = {
    "tombstone": "the file was deleted",
    "hidden_by_limit": "Slack has hidden the file, because the workspace is over its storage limit",
    "external": "the file is only a link to another service",
}
_NO_SCOPE = "the bot may not read files here (files:read is missing)"
_NO_ACCESS = "Slack did not hand the file out to the bot"


class Downloads:
    def __init__(self, clients: Clients, *, api_url: str) -> None:
        self._clients = clients
        self._api = URL(api_url)

    async def fetch(self, file: Attachment, into: Path, most: int) -> str:
        """As `FetchesFiles.fetch_file` promises."""
        try:
            team, number = read_file(file.address)
        except ValueError as error:
            raise NotAllowed(_NO_ACCESS, code="no_address") from error
        # Events of shared channels carry a mere stub, and the addresses in others age; so the file is always asked for.
        facts = await self._look_up(team, number)
        mode = str(facts.get("mode") or "")
        if facts.get("is_external") is True:
            mode = "external"
        if mode in _NOT_HAD:
            raise NotAllowed(_NOT_HAD[mode], code=mode)
        if facts.get("file_access") == "access_denied":
            raise NotAllowed(_NO_ACCESS, code="access_denied")
        size = facts.get("size")
        if isinstance(size, int):
            _check_length(size, most)
        address = facts.get("url_private_download") or facts.get("url_private")
        if not isinstance(address, str):
            raise NotAllowed(_NO_ACCESS, code="no_address")
        token = await self._clients.token(team)
        declared = str(facts.get("mimetype") or "")
        await self._download(address, token, declared, into, most, size if isinstance(size, int) and size > 0 else None)
        return declared

    async def _look_up(self, team: str, number: str) -> Mapping[str, object]:
        try:
            response = await self._clients.ask(
                team, "files.info", lambda client: client.files_info(file=number), again=True
            )
        except (RateLimited, PlatformUnavailable):
            raise
        except PlatformError as error:
            if error.code == "missing_scope":
                log.warning("files_not_read", code=error.code, fix="add the scope files:read and install the app again")
                raise NotAllowed(_NO_SCOPE, code=error.code) from error
            if error.code in ("file_not_found", "file_deleted") or isinstance(error, MessageGone):
                raise NotAllowed(_NOT_HAD["tombstone"], code=error.code) from error
            raise NotAllowed(_NO_ACCESS, code=error.code) from error
        found: object = response.get("file")
        return found if isinstance(found, dict) else {}

    async def _download(self, address: str, token: str, declared: str, into: Path, most: int, size: int | None) -> None:
        url = self._trusted(address)
        client = self._clients.unopened
        try:
            for _ in range(MOST_REDIRECTS + 1):
                async with self._clients.session.get(
                    url,
                    headers={"Authorization": f"Bearer {token}"},
                    allow_redirects=False,
                    proxy=client.proxy,
                    ssl=client.ssl if client.ssl is not None else True,
                ) as response:
                    if response.status in (301, 302, 303, 307, 308):
                        url = self._trusted(str(url.join(URL(response.headers.get("Location", "")))))
                        continue
                    _judge(response, declared)
                    length = await _write(response, into, most)
                    break
            else:
                raise NotAllowed(_NO_ACCESS, code="too_many_redirects")
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise PlatformUnavailable(f"download: {type(error).__name__}") from error
        if size is not None and length != size:
            raise PlatformUnavailable(f"download: {length} of {size} bytes", code="incomplete")

    def _trusted(self, address: str) -> URL:
        try:
            url = URL(address)
        except ValueError as error:
            raise NotAllowed(_NO_ACCESS, code="foreign_address") from error
        if not is_slacks(url, self._api):
            log.warning("file_address_not_slacks", host=url.host or "")
            raise NotAllowed(_NO_ACCESS, code="foreign_address")
        return url


def is_slacks(url: URL, api: URL) -> bool:
    """Whether an address is Slack's own, or lies where the configured API is."""
    host = url.host or ""
    slacks = url.scheme == "https" and any(host == one or host.endswith("." + one) for one in SLACKS_DOMAINS)
    try:
        same = url.origin() == api.origin()
    except ValueError:
        same = False
    return url.user is None and (slacks or same)


def _judge(response: aiohttp.ClientResponse, declared: str) -> None:
    """Raises unless these are the file's own bytes."""
    if response.status == 429 or response.status >= 500:
        raise PlatformUnavailable(f"download: status {response.status}", code=f"http_{response.status}")
    if response.status != 200:
        raise NotAllowed(_NO_ACCESS, code=f"http_{response.status}")
    # Whoever may not read a file gets Slack's sign-in page, with status 200.
    if response.content_type == "text/html" and declared != "text/html":
        raise NotAllowed(_NO_SCOPE, code="sign_in_page")


def _check_length(length: int, most: int) -> None:
    if length > most:
        raise FileTooLarge(f"{length} bytes, at most {most} wanted", code="too_large")


async def _write(response: aiohttp.ClientResponse, into: Path, most: int) -> int:
    """The number of bytes. Raises `FileTooLarge`, and leaves nothing then."""
    _check_length(response.content_length or 0, most)
    length = 0
    try:
        with await asyncio.to_thread(into.open, "wb") as out:
            async for piece in response.content.iter_chunked(PIECE):
                length += len(piece)
                _check_length(length, most)
                await asyncio.to_thread(out.write, piece)
    except BaseException:
        await asyncio.to_thread(into.unlink, missing_ok=True)
        raise
    return length
