"""Images of members as the model is given them: in the question itself. No server keeps them, and nothing else does."""

import asyncio
import base64
from pathlib import Path

from bridge.backend_api import FileRules, UploadedFile
from bridge.backends.openai.sentences import FILE_TOO_LARGE, FILE_WRONG_KIND
from bridge.errors import QuestionRefused

IMAGE = "image"
_EXTENSIONS = ("png", "jpg", "jpeg", "gif", "webp")
_MEDIA_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")


def rules_for(most: int, largest: int) -> FileRules:
    if not most:
        return FileRules()
    return FileRules(
        most=most,
        largest={IMAGE: largest},
        kinds=dict.fromkeys(_EXTENSIONS, IMAGE),
        media_types=dict.fromkeys(_MEDIA_TYPES, IMAGE),
    )


async def take(content: Path, largest: int) -> UploadedFile:
    """Its id is the image itself. Raises `QuestionRefused` for what is no image that models take, whatever it is called."""
    raw = await asyncio.to_thread(_read, content, largest)
    if len(raw) > largest:
        raise QuestionRefused(
            f"an image is larger than {largest} bytes", code="file_too_large", user_message=FILE_TOO_LARGE
        )
    media_type = recognise(raw)
    if not media_type:
        raise QuestionRefused("a file is no image", code="unsupported_file_type", user_message=FILE_WRONG_KIND)
    encoded = await asyncio.to_thread(base64.b64encode, raw)
    return UploadedFile(id=f"data:{media_type};base64,{encoded.decode()}", kind=IMAGE)


def recognise(raw: bytes) -> str:
    """The media type by the first bytes; "" for what is not one of the four that models take."""
    if raw.startswith(b"\x89PNG"):
        return "image/png"
    if raw.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if raw.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if raw[:4] == b"RIFF" and raw[8:12] == b"WEBP":
        return "image/webp"
    return ""


def _read(content: Path, largest: int) -> bytes:
    with content.open("rb") as opened:
        return opened.read(largest + 1)
