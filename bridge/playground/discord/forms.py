"""Bodies of REST calls: JSON, or a form with JSON and files in it (docs: reference, Uploading Files)."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from mimetypes import guess_type

from aiohttp import BodyPartReader, web

from bridge.playground.discord import limits
from bridge.playground.discord.model import Attachment, Json
from bridge.playground.discord.refusals import Refusal, invalid_form, invalid_json, too_large

_FIELD = re.compile(r"files\[([0-9]{1,3})\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A body as it came. Nothing is refused before `parse` is called, since other refusals come first."""

    text: bytes = b""
    files: Mapping[int, Attachment] = field(default_factory=dict)
    wrong: Refusal | None = None

    def parse(self) -> Json:
        """The object that it is. Raises `Refusal`."""
        parsed = self._load()
        if not isinstance(parsed, dict):
            raise invalid_json()
        return parsed

    def parse_list(self) -> list[object]:
        """As `parse`, for routes that take a list."""
        parsed = self._load()
        if not isinstance(parsed, list):
            raise invalid_json()
        return parsed

    def _load(self) -> object:
        if self.wrong is not None:
            raise self.wrong
        try:
            return json.loads(self.text)
        except ValueError as error:
            raise invalid_json() from error


async def read_body(request: web.Request, *, takes_files: bool) -> Body:
    """All of it, also when it is too large: who is answered too early only sees the connection break."""
    if takes_files and request.content_type == "multipart/form-data":
        try:
            return await _read_form(request)
        except ValueError:
            return Body(wrong=invalid_json())
    try:
        text = await request.read()
    except web.HTTPRequestEntityTooLarge:
        return Body(wrong=too_large())
    return Body(text=text, wrong=None if request.content_type == "application/json" else invalid_json())


async def _read_form(request: web.Request) -> Body:
    """Raises ValueError where it is no form."""
    text = b""
    files: dict[int, Attachment] = {}
    wrong: Refusal | None = None
    total = 0
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            raise ValueError("a form within a form")  # noqa: TRY004  # it is the form that is wrong
        name = part.name or ""
        content = await _read_part(part)
        total += len(content)  # what one file may have depends on where it goes, and is looked at there
        number = _FIELD.fullmatch(name)
        if total > limits.MAX_REQUEST_BYTES:
            wrong = wrong or too_large()
        elif name == "payload_json":
            text = content
        elif number is not None and part.filename:
            files[int(number[1])] = _attachment(part.filename, content)
        else:
            wrong = wrong or invalid_form(
                name, "PLAYGROUND_UNSUPPORTED", "Only payload_json and files[n] are known here."
            )
    if wrong is None and not 1 <= len(files) <= limits.MAX_FILES:
        wrong = invalid_form("files", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 10 in length.")
    return Body(text=text, files=files, wrong=wrong)


async def _read_part(part: BodyPartReader) -> bytes:
    """What is beyond a whole request's size is read and dropped, all but a byte."""
    content = bytearray()
    while chunk := await part.read_chunk(2**16):
        content += chunk[: limits.MAX_REQUEST_BYTES + 1 - len(content)]
    return bytes(content)


def _attachment(sent_name: str, content: bytes) -> Attachment:
    """Discord goes by the name, not by the type that the client names, and puts _ where the name has odd characters."""
    name = re.sub(r"[^\w.\-]+", "_", sent_name)
    kind = guess_type(name)[0] or "application/octet-stream"
    return Attachment(filename=name, content_type=kind, size=len(content), content=content)
