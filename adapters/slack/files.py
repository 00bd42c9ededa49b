"""Files out on Slack: the bytes to Slack's upload host, the file into the thread, and then the message that speaks of it.

The message is an ordinary one and not the upload's own comment. Sharing goes on after the call for it was answered, and
the answer does not say which message the file became; so a comment could not be edited, rated, or found again after a broken
connection, and it would be mrkdwn of another length than everything else here. It is posted last, when the file has been seen
in the thread: Slack now and then accepts a file and never shows it, and nobody should read of a file that is not there.
"""

from dataclasses import dataclass

import aiohttp
from yarl import URL

from adapters.slack.addresses import Place, read_address
from adapters.slack.outbound import CLOCK_SKEW, Outbound
from adapters.slack.refusals import ask
from bridge import logs
from bridge.clock import Clock
from bridge.errors import MessageGone, MessageRefused, NotAllowed, PlatformError, PlatformUnavailable, RateLimited
from bridge.messages import MessageRef, OutgoingFile, OutgoingMessage, ReplyTarget

log = logs.get("slack")

SLACKS_DOMAINS = ("slack.com", "slack-gov.com")
"""Upload addresses lie on files.<domain> (Slack's page on working with files; GovSlack has the other one)."""

MOST_UNFINISHED = 100
"""Uploads that are remembered until their message stands."""

COMPLETED_BEFORE = "file_not_found"
"""What a second files.completeUploadExternal for the same upload is refused with."""

FIRST_LOOK, LONGEST_LOOK = 0.25, 2.0
"""Seconds between two looks for a file: the first pause, which doubles, and the longest."""


@dataclass(slots=True, kw_only=True)
class _Upload:
    file: str
    """Slack's id."""
    title: str
    began: float
    """Seconds since the epoch."""
    doubtful: bool = False
    """A call to share it ended in an unknown way."""
    shared: bool = False


class Files:
    """Puts files into threads. Remembers by nonce how far one came, so that an attempt goes on where the last one broke off."""

    def __init__(self, outbound: Outbound, clock: Clock, *, api_url: str, wait: float) -> None:
        """`wait`: seconds for a file to show up in its thread; 0 does not look."""
        self._outbound = outbound
        self._clock = clock
        self._api = URL(api_url)
        self._wait = wait
        self._unfinished: dict[str, _Upload] = {}

    async def send(self, target: ReplyTarget, message: OutgoingMessage, file: OutgoingFile) -> MessageRef:
        """As `SendsFiles.send_file` promises."""
        if not message.text.strip():
            raise MessageRefused("nothing to show", code="no_text")
        upload = self._unfinished.get(message.nonce)
        if upload is None:
            upload = await self._upload(file)
            while len(self._unfinished) >= MOST_UNFINISHED:
                del self._unfinished[next(iter(self._unfinished))]
            self._unfinished[message.nonce] = upload
        if not upload.shared:
            try:
                await self._share(read_address(target.address), upload)
            except (NotAllowed, MessageGone):
                self._unfinished.pop(message.nonce, None)
                raise
            upload.shared = True
        ref = await self._outbound.post(target, message)
        self._unfinished.pop(message.nonce, None)
        return ref

    async def _upload(self, file: OutgoingFile) -> _Upload:
        name = file.plain_name
        method = "files.getUploadURLExternal"
        # An address that is never used costs nothing, so this may be repeated.
        request = self._outbound.repeating.files_getUploadURLExternal(filename=name, length=len(file.content))
        try:
            response = await ask(method, request)
        except PlatformError as error:
            if not _is_about_the_file(error):
                raise
            raise NotAllowed(str(error), code=error.code) from error
        began = self._clock.now().timestamp()
        address, number = response.get("upload_url"), response.get("file_id")
        if not isinstance(address, str) or not isinstance(number, str):
            raise PlatformUnavailable(f"{method}: accepted, but without an address", code="no_url")
        await self._hand_over(trusted(address, self._api), file.content)
        return _Upload(file=number, title=name, began=began)

    async def _hand_over(self, url: URL, content: bytes) -> None:
        """Posts the bytes, without the token: the address is the whole authority."""
        client = self._outbound.once
        try:
            async with self._outbound.session.post(
                url,
                data=content,
                headers={"Content-Type": "application/octet-stream"},
                allow_redirects=False,
                proxy=client.proxy,
                ssl=client.ssl if client.ssl is not None else True,
            ) as response:
                status = response.status
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise PlatformUnavailable(f"upload: {type(error).__name__}") from error
        if status == 429 or status >= 500:
            raise PlatformUnavailable(f"upload: status {status}", code=f"http_{status}")
        if status != 200:
            raise NotAllowed(f"upload: status {status}", code=f"http_{status}")

    async def _share(self, place: Place, upload: _Upload) -> None:
        believed = await self._complete(place, upload)
        landed = await self._landed(place, upload)
        if not (believed if landed is None else landed):
            raise NotAllowed("Slack took the file and did not show it", code="file_not_shared")

    async def _complete(self, place: Place, upload: _Upload) -> bool:
        """False when only a look into the thread can tell that the file was shared."""
        method = "files.completeUploadExternal"
        request = self._outbound.once.files_completeUploadExternal(
            files=[{"id": upload.file, "title": upload.title}], channel_id=place.channel, thread_ts=place.ts
        )
        try:
            await ask(method, request)
        except PlatformError as error:
            upload.doubtful = upload.doubtful or isinstance(error, PlatformUnavailable)
            if not _is_about_the_file(error):
                raise
            if not upload.doubtful:
                raise NotAllowed(str(error), code=error.code) from error
            # An upload can be completed once (Slack's page on the method): it may have been, by the call of which nobody
            # heard. Its file is then no longer there to be completed; any other refusal says less.
            log.info("file_shared_before", code=error.code)
            return error.code == COMPLETED_BEFORE
        return True

    async def _landed(self, place: Place, upload: _Upload) -> bool | None:
        """Whether the file is in the thread, after a wait for it. None when nobody can tell."""
        deadline = self._clock.monotonic() + self._wait
        pause = FIRST_LOOK
        while self._wait > 0:
            request = self._outbound.once.conversations_replies(
                channel=place.channel, ts=place.ts, oldest=f"{upload.began - CLOCK_SKEW:.6f}", limit=200
            )
            try:
                response = await ask("conversations.replies", request)
            except PlatformError as error:
                log.info("file_not_looked_up", code=error.code)
                return None
            if upload.file in _files_in(response.get("messages")):
                return True
            if self._clock.monotonic() + pause > deadline:
                return False
            await self._clock.sleep(pause)
            pause = min(pause * 2, LONGEST_LOOK)
        return None


def trusted(address: str, api: URL) -> URL:
    """The upload address. Raises `NotAllowed` unless it is Slack's own or lies where the configured API is."""
    try:
        url = URL(address)
        same = url.origin() == api.origin()
    except ValueError as error:
        raise NotAllowed("the upload address cannot be read", code="foreign_upload_url") from error
    host = url.host or ""
    slacks = url.scheme == "https" and any(host == one or host.endswith("." + one) for one in SLACKS_DOMAINS)
    if url.user is not None or not (slacks or same):
        raise NotAllowed(f"the upload address is not Slack's ({host})", code="foreign_upload_url")
    return url


def _is_about_the_file(error: PlatformError) -> bool:
    """Whether Slack has something against this file, rather than against us, the thread or the moment."""
    return not isinstance(error, NotAllowed | MessageGone | RateLimited | PlatformUnavailable)


def _files_in(messages: object) -> set[object]:
    shown = [one for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []
    lists = [one.get("files") for one in shown]
    return {file.get("id") for files in lists if isinstance(files, list) for file in files if isinstance(file, dict)}
