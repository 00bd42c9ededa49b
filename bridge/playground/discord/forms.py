"""Bodies of REST calls: JSON, or a form with JSON and files in it (docs: reference, Uploading Files)."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from mimetypes import guess_type

from aiohttp import web
from aiohttp.web_request import FileField

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
        if self.wrong is not None:
            raise self.wrong
        try:
            parsed = json.loads(self.text)
        except ValueError as error:
            raise invalid_json() from error
        if not isinstance(parsed, dict):
            raise invalid_json()
        return parsed


async def read_body(request: web.Request, *, takes_files: bool) -> Body:
    try:
        if takes_files and request.content_type == "multipart/form-data":
            return _read_form(await request.post())
        text = await request.read()
    except web.HTTPRequestEntityTooLarge:
        return Body(wrong=too_large())
    return Body(text=text, wrong=None if request.content_type == "application/json" else invalid_json())


def _read_form(form: Mapping[str, object]) -> Body:
    text = b""
    files: dict[int, Attachment] = {}
    for name, value in form.items():
        number = _FIELD.fullmatch(name)
        if name == "payload_json" and isinstance(value, str):
            text = value.encode()
        elif number is not None and isinstance(value, FileField):
            files[int(number[1])] = _attachment(value)
        else:
            return Body(
                wrong=invalid_form(name, "PLAYGROUND_UNSUPPORTED", "Only payload_json and files[n] are known here.")
            )
    if not 1 <= len(files) <= limits.MAX_FILES:
        return Body(wrong=invalid_form("files", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 10 in length."))
    if any(one.size > limits.MAX_FILE_BYTES for one in files.values()):
        return Body(wrong=too_large())
    return Body(text=text, files=files)


def _attachment(sent: FileField) -> Attachment:
    """Discord goes by the name, not by the type that the client names, and puts _ where the name has odd characters."""
    content = sent.file.read()
    name = re.sub(r"[^\w.\-]+", "_", sent.filename) or "unknown"
    kind = guess_type(name)[0] or "application/octet-stream"
    return Attachment(filename=name, content_type=kind, size=len(content), content=content)
