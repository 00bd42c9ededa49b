"""Hands a member's file to Dify. What the app takes is known before (see `filetypes`); what is refused all the same is told."""

from pathlib import Path, PurePosixPath

from bridge.backend_api import UploadedFile
from bridge.backends.dify.errors import explain_refusal
from bridge.backends.dify.filetypes import CUSTOM, KIND_OF, MEDIA_TYPES
from bridge.backends.dify.lacking import is_absent
from bridge.backends.dify.sending import FileSender
from bridge.backends.dify.sentences import FILE_NOT_TAKEN, FILE_TOO_LARGE, FILE_WRONG_KIND, NO_FILES
from bridge.errors import BackendError, BackendFailed, QuestionRefused
from bridge.messages import BackendUser
from bridge.remote.framing import text_of
from bridge.remote.plain import make_plain
from bridge.remote.refusing import Refusal

# 1.12 refuses names with any of these (newer ones only the slashes), and cuts names at 200 characters.
_FORBIDDEN = str.maketrans(dict.fromkeys('/\\:*?"<>|', "_"))
_LONGEST_NAME = 200

_ANY_TYPE = "application/octet-stream"


class Uploader:
    def __init__(self, sender: FileSender) -> None:
        self._sender = sender

    async def upload(self, content: Path, name: str, media_type: str, kind: str, user: BackendUser) -> UploadedFile:
        """As `AcceptsFiles.upload`."""
        reply = await self._sender.send(
            "/files/upload",
            content,
            name=name_for_dify(name, media_type, kind),
            media_type=media_type if _is_media_type(media_type) else _ANY_TYPE,
            user=user,
        )
        ident = text_of(reply.read(), "id")
        if reply.status not in (200, 201):
            raise _explain_refused_file(reply)
        if not ident:
            raise BackendFailed("the upload was accepted without an id", code="no_file_id")
        return UploadedFile(id=ident, kind=kind)


def name_for_dify(name: str, media_type: str, kind: str) -> str:
    """A name that Dify takes, with an extension that it knows the file by: it never looks inside."""
    path = PurePosixPath(make_plain(name, 4 * _LONGEST_NAME).translate(_FORBIDDEN))
    stem, suffix = path.stem.strip(". ") or "file", path.suffix
    if kind != CUSTOM and KIND_OF.get(suffix.lower().lstrip(".")) != kind:
        extension = MEDIA_TYPES.get(media_type.partition(";")[0].strip().lower(), "")
        if KIND_OF.get(extension) == kind:
            stem, suffix = stem + suffix, f".{extension}"
    return stem[: _LONGEST_NAME - len(suffix)] + suffix


def _is_media_type(text: str) -> bool:
    main, slash, sub = text.partition("/")
    return bool(main and slash and sub) and text.isascii() and text.isprintable()


def _explain_refused_file(reply: Refusal) -> BackendError:
    """What only this file is to blame for leaves the question as it was."""
    error = explain_refusal(reply)
    code = text_of(reply.read(), "code")
    if is_absent(reply):
        return QuestionRefused(str(error), code="no_files", user_message=NO_FILES)
    if reply.status == 413:
        # Dify's own limit, or that of a proxy in front of it, which may be lower.
        return QuestionRefused(str(error), code=code or "file_too_large", user_message=FILE_TOO_LARGE)
    if code in ("unsupported_file_type", "file_extension_blocked"):
        return QuestionRefused(str(error), code=code, user_message=FILE_WRONG_KIND)
    if isinstance(error, QuestionRefused):
        return QuestionRefused(str(error), code=error.code, user_message=FILE_NOT_TAKEN)
    return error
