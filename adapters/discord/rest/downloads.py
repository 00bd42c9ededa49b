"""Files that members attach: fetched from Discord's own hosts by addresses that are signed and age, so that no token is sent.

An event tells the address with the file; it is remembered for a while. Later, or when Discord does not take it any more, the
message is asked for again, which gives a fresh one. What belongs to no message can be had only while its address is good.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import aiohttp
from yarl import URL

from adapters.discord.addresses import FilePlace, read_file_address, read_link_address
from adapters.discord.gateway.heard import Payload
from adapters.discord.rest.lookups import Lookups
from adapters.discord.settings import Settings
from bridge import logs
from bridge.errors import FileTooLarge, MessageGone, NotAllowed, PlatformUnavailable
from bridge.messages import Address, Attachment

log = logs.get("discord")

HOSTS = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
"""Where Discord keeps attachments (API reference, Attachment Object and CDN)."""

MOST_REMEMBERED = 5_000

PIECE = 256 * 1024
"""Bytes that are held at once."""

_ANYTHING = frozenset({"application/octet-stream", "binary/octet-stream"})
"""Media types that say nothing."""

_STALE = frozenset({403, 404, 410})
"""What the content network answers to an address that is too old, or whose file is gone."""

_GONE = "the message with the file was deleted"
_NO_ACCESS = "Discord did not hand the file out to the bot"
_NO_READING = "the bot may not read the messages here (Read Message History is missing)"
_TOO_OLD = "Discord does not hand it out any more; please attach it again"


class _Stale(Exception):
    pass


class Downloads:
    def __init__(self, settings: Settings, lookups: Lookups) -> None:
        self._settings = settings
        self._lookups = lookups
        self._trusted_origins = [URL(each) for each in (settings.discord_api_url, settings.discord_cdn_url) if each]
        self._urls: dict[Address, str] = {}
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def remember(self, address: Address, url: str) -> None:
        """The address that came with an event; spares a call."""
        self._urls.pop(address, None)
        self._urls[address] = url
        if len(self._urls) > MOST_REMEMBERED:
            del self._urls[next(iter(self._urls))]

    async def fetch(self, file: Attachment, into: Path, most: int) -> str:
        """As `FetchesFiles.fetch_file` promises."""
        if file.size is not None:
            _check_length(file.size, most)
        if (link := read_link_address(file.address)) is not None:
            return await self._fetch_link(link, into, most, file.size)
        try:
            place = read_file_address(file.address)
        except ValueError as error:
            raise NotAllowed(_NO_ACCESS, code="no_address") from error
        url = self._urls.get(file.address)
        if url is not None:
            try:
                return await self._download(url, into, most, file.size)
            except _Stale:
                log.info("file_address_stale", message=place.message)
                self._urls.pop(file.address, None)
        found = await self._look_up(place)
        fresh = found.get("url")
        if not isinstance(fresh, str):
            raise NotAllowed(_NO_ACCESS, code="no_address")
        self.remember(file.address, fresh)
        size = found.get("size")
        try:
            told = await self._download(fresh, into, most, size if isinstance(size, int) else None)
        except _Stale as error:
            raise NotAllowed(_NO_ACCESS, code="stale") from error
        declared = found.get("content_type")
        return declared if isinstance(declared, str) and declared else told

    async def _fetch_link(self, url: str, into: Path, most: int, size: int | None) -> str:
        try:
            return await self._download(url, into, most, size)
        except _Stale as error:
            raise NotAllowed(_TOO_OLD, code="stale") from error

    async def _look_up(self, place: FilePlace) -> Mapping[str, object]:
        try:
            message = await self._lookups.message(place.channel, place.message)
        except MessageGone as error:
            raise NotAllowed(_GONE, code=error.code) from error
        except NotAllowed as error:
            raise NotAllowed(_NO_READING, code=error.code) from error
        for each in attachments_of(message):
            if str(each.get("id")) == str(place.file):
                return each
        raise NotAllowed(_GONE, code="no_such_file")

    async def _download(self, address: str, into: Path, most: int, size: int | None) -> str:
        """The media type. Raises `_Stale`."""
        url = self._trusted(address)
        try:
            async with self._opened().get(url, allow_redirects=False) as response:
                if response.status in _STALE:
                    raise _Stale
                if response.status == 429 or response.status >= 500:
                    raise PlatformUnavailable(f"download: status {response.status}", code=f"http_{response.status}")
                if response.status != 200:
                    raise NotAllowed(_NO_ACCESS, code=f"http_{response.status}")
                length = await _write(response, into, most)
                media_type = "" if response.content_type in _ANYTHING else response.content_type
        except (aiohttp.ClientError, TimeoutError) as error:
            raise PlatformUnavailable(f"download: {type(error).__name__}") from error
        if size is not None and length != size:
            raise PlatformUnavailable(f"download: {length} of {size} bytes", code="incomplete")
        return media_type

    def _trusted(self, address: str) -> URL:
        try:
            url = URL(address)
        except ValueError as error:
            raise NotAllowed(_NO_ACCESS, code="foreign_address") from error
        if not is_discords(url, self._trusted_origins):
            log.warning("file_address_not_discords", host=url.host or "")
            raise NotAllowed(_NO_ACCESS, code="foreign_address")
        return url

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self._settings.discord_call_timeout)
            )
        return self._session


def is_discords(url: URL, others: Sequence[URL] = ()) -> bool:
    """Whether an address is Discord's own, or lies where one of the others is."""
    if url.user is not None or not url.host:
        return False
    own = url.scheme == "https" and url.host in HOSTS and url.port == 443
    return own or any(url.origin() == each.origin() for each in others)


def attachments_of(message: Payload) -> Iterator[Mapping[str, object]]:
    """Those of a message, and of messages that were forwarded with it."""
    snapshots = message.get("message_snapshots")
    forwarded = (
        [each.get("message") for each in snapshots if isinstance(each, dict)] if isinstance(snapshots, list) else []
    )
    for source in (message, *forwarded):
        found = source.get("attachments") if isinstance(source, Mapping) else None
        yield from (each for each in found if isinstance(each, dict)) if isinstance(found, list) else ()


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
