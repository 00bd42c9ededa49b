"""Files out on Slack: the bytes to Slack's upload host, the file into the thread, and then the message that speaks of it.

The message is an ordinary one and not the upload's own comment. Sharing goes on after the call for it was answered, and
the answer does not say which message the file became; so a comment could not be edited, rated, or found again after a broken
connection, and it would be mrkdwn of another length than everything else here. It is posted last, when the file has been seen
in the thread: Slack now and then accepts a file and never shows it, and nobody should read of a file that is not there.

So a process may die between the two. The file itself cannot carry a nonce; but who looks for the message (`find_sent`) sees which
files of ours nobody has spoken of yet, and `send` then takes the one that has this name and size for its own.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import aiohttp
from yarl import URL

from adapters.slack.addresses import Place, message_ref, read_address
from adapters.slack.outbound import Outbound
from adapters.slack.web.downloads import is_slacks
from adapters.slack.web.history import CLOCK_SKEW, Shown, nonce_in
from adapters.slack.web.remembering import remember
from bridge import logs
from bridge.clock import Clock
from bridge.errors import MessageGone, MessageRefused, NotAllowed, PlatformError, PlatformUnavailable, RateLimited
from bridge.messages import MessageRef, OutgoingMessage, ReplyTarget
from bridge.outgoing_files import OutgoingFile

log = logs.get("slack")

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Left:
    """A file of ours in a thread, after which no message of ours came."""

    file: str
    names: frozenset[object]
    size: object


class Files:
    """Puts files into threads. Remembers by nonce how far one came, so that an attempt goes on where the last one broke off.
    Finds messages of a process that is gone, with or without a file."""

    def __init__(self, outbound: Outbound, clock: Clock, *, api_url: str, wait: float) -> None:
        """`wait`: seconds for a file to show up in its thread; 0 does not look."""
        self._outbound = outbound
        self._clock = clock
        self._api = URL(api_url)
        self._wait = wait
        self._unfinished: dict[str, _Upload] = {}
        self._unspoken: dict[str, list[_Left]] = {}
        """Nonce of a message that was looked for in vain, and the files that stood in its thread without one."""

    async def find_sent(self, target: ReplyTarget, message: OutgoingMessage, since: datetime) -> MessageRef | None:
        """As `FindsSent` promises. Without the history scope nobody can tell, and None is said."""
        place = read_address(target.address)
        try:
            ts, shown = await self._outbound.find(place, message, since.timestamp())
        except NotAllowed as error:
            log.warning("sent_not_looked_up", code=error.code, fix="add the history scopes and install the app again")
            return None
        if ts is not None:
            return message_ref(Place(team=place.team, channel=place.channel, ts=ts))
        left = _files_left(shown)
        if left:
            remember(self._unspoken, message.nonce, left, MOST_UNFINISHED)
        return None

    async def send(self, target: ReplyTarget, message: OutgoingMessage, file: OutgoingFile) -> MessageRef:
        """As `SendsFiles.send_file` promises."""
        if not message.text.strip():
            raise MessageRefused("nothing to show", code="no_text")
        place = read_address(target.address)
        upload = self._unfinished.get(message.nonce)
        if upload is None:
            upload = self._stands_already(message.nonce, file) or await self._upload(place.team, file)
            remember(self._unfinished, message.nonce, upload, MOST_UNFINISHED)
        if not upload.shared:
            try:
                await self._share(place, upload)
            except (NotAllowed, MessageGone):
                self._unfinished.pop(message.nonce, None)
                raise
            upload.shared = True
        ref = await self._outbound.send(target, message)
        self._unfinished.pop(message.nonce, None)
        self._unspoken.pop(message.nonce, None)
        return ref

    def _stands_already(self, nonce: str, file: OutgoingFile) -> _Upload | None:
        name = file.plain_name
        for left in self._unspoken.get(nonce, ()):
            if left.size == len(file.content) and name in left.names:
                log.info("file_found_again")
                return _Upload(file=left.file, title=name, began=self._clock.now().timestamp(), shared=True)
        return None

    async def _upload(self, team: str, file: OutgoingFile) -> _Upload:
        name = file.plain_name
        method = "files.getUploadURLExternal"
        size = len(file.content)
        try:
            # An address that is never used costs nothing, so this may be repeated.
            response = await self._outbound.clients.ask(
                team, method, lambda client: client.files_getUploadURLExternal(filename=name, length=size), again=True
            )
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
        client = self._outbound.clients.unopened
        try:
            async with self._outbound.clients.session.post(
                url,
                # Bytes as they are would go out in one piece, and hold everything else up when there are many.
                data=io.BytesIO(content),
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
        files: list[dict[str, str | None]] = [{"id": upload.file, "title": upload.title}]
        try:
            await self._outbound.clients.ask(
                place.team,
                method,
                lambda client: client.files_completeUploadExternal(
                    files=files, channel_id=place.channel, thread_ts=place.ts
                ),
            )
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
            try:
                shown = await self._outbound.history.look_back(place, upload.began - CLOCK_SKEW)
            except PlatformError as error:
                log.info("file_not_looked_up", code=error.code)
                return None
            if any(file.get("id") == upload.file for one in shown for file in _files_in(one)):
                return True
            if self._clock.monotonic() + pause > deadline:
                return False
            await self._clock.sleep(pause)
            pause = min(pause * 2, LONGEST_LOOK)
        return None


def trusted(address: str, api: URL) -> URL:
    """The upload address. Raises `NotAllowed` unless it is Slack's own (files.<domain>, Slack's page on working with files) or
    lies where the configured API is."""
    try:
        url = URL(address)
        slacks = is_slacks(url, api)
    except ValueError as error:
        raise NotAllowed("the upload address cannot be read", code="foreign_upload_url") from error
    if not slacks:
        raise NotAllowed(f"the upload address is not Slack's ({url.host or ''})", code="foreign_upload_url")
    return url


def _is_about_the_file(error: PlatformError) -> bool:
    """Whether Slack has something against this file, rather than against us, the thread or the moment."""
    return not isinstance(error, NotAllowed | MessageGone | RateLimited | PlatformUnavailable)


def _files_left(shown: Sequence[Shown]) -> list[_Left]:
    """Files of the app's own that stand after its last message, the latest last."""
    left: list[_Left] = []
    for one in shown:
        if nonce_in(one) is not None:
            left = []
        elif one.get("bot_id"):
            left += [
                _Left(
                    file=str(file.get("id")),
                    names=frozenset({file.get("name"), file.get("title")}),
                    size=file.get("size"),
                )
                for file in _files_in(one)
            ]
    return left


def _files_in(shown: Shown) -> list[dict[str, object]]:
    files = shown.get("files")
    return [file for file in files if isinstance(file, dict)] if isinstance(files, list) else []
