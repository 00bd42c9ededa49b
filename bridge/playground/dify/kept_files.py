"""Files at the stand-in Dify: those that members handed over, those that its app made, and the signatures that open them."""

import base64
import hashlib
import hmac
import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from bridge.playground.dify.wire import Json

SIGNATURE_SECONDS = 300
"""FILES_ACCESS_TIMEOUT of a Dify that nobody has changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeFile:
    """A file that the app makes with an answer."""

    name: str
    """Dify names it after its id instead where only an event tells about it."""
    kind: str
    media_type: str
    content: bytes
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def path(self) -> str:
        return f"/files/tools/{self.id}.{self.name.rsplit('.', 1)[-1]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    id: str
    user: str
    name: str
    extension: str
    media_type: str
    content: bytes
    created_at: int

    @property
    def path(self) -> str:
        return f"/files/{self.id}/file-preview"

    def as_reply(self, source_url: str, *, is_old: bool) -> Json:
        reply: Json = {
            "id": self.id,
            "name": self.name,
            "size": len(self.content),
            "extension": self.extension,
            "mime_type": self.media_type,
            "created_by": self.user,
            "created_at": self.created_at,
        }
        if is_old:
            return reply
        empty = ("preview_url", "original_url", "user_id", "tenant_id", "conversation_id", "file_key")
        return reply | dict.fromkeys(empty) | {"source_url": source_url}

    def as_shown(self) -> Json:
        return {
            "id": self.id,
            "user": self.user,
            "name": self.name,
            "media_type": self.media_type,
            "size": len(self.content),
        }


class Signer:
    """Signs addresses of files, and knows its own signatures again."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(16)

    def sign(self, path: str, now: int) -> str:
        nonce = secrets.token_hex(16)
        return f"{path}?timestamp={now}&nonce={nonce}&sign={quote(self._mark(path, str(now), nonce))}"

    def is_good(self, path: str, query: Mapping[str, str], now: int) -> bool:
        timestamp, nonce, mark = (query.get(name, "") for name in ("timestamp", "nonce", "sign"))
        if not timestamp.isdigit() or now - int(timestamp) > SIGNATURE_SECONDS:
            return False
        return hmac.compare_digest(mark, self._mark(path, timestamp, nonce))

    def _mark(self, path: str, timestamp: str, nonce: str) -> str:
        raw = hmac.new(self._secret, f"{path}|{timestamp}|{nonce}".encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(raw).decode()


def file_event(file: MadeFile, url: str) -> Json:
    """What a `message_file` event says about a file."""
    return {"id": file.id, "type": file.kind, "belongs_to": "assistant", "url": url}


def run_file(file: MadeFile, url: str) -> Json:
    """What a chatflow says about a file when it ends (the keys of Dify's own file object)."""
    return {
        "dify_model_identity": "__dify__file__",
        "id": None,
        "tenant_id": "tenant",
        "type": file.kind,
        "transfer_method": "tool_file",
        "remote_url": None,
        "related_id": file.id,
        "filename": file.name,
        "extension": "." + file.name.rsplit(".", 1)[-1],
        "mime_type": file.media_type,
        "size": len(file.content),
        "url": url,
    }


def history_file(file: MadeFile | Upload, kind: str, url: str) -> Json:
    """What the history says about a file."""
    made = isinstance(file, MadeFile)
    return {
        "id": file.id,
        "filename": file.name,
        "type": kind,
        "url": url,
        "mime_type": file.media_type,
        "size": len(file.content),
        "transfer_method": "tool_file" if made else "local_file",
        "belongs_to": "assistant" if made else "user",
        "upload_file_id": None if made else file.id,
    }


def resources(names: Sequence[str]) -> list[Json]:
    """`retriever_resources` for documents of these names."""
    return [_resource(name, position) for position, name in enumerate(names, 1)]


def _resource(name: str, position: int) -> Json:
    """The passage is there, and nobody may show it."""
    return {
        "position": position,
        "dataset_id": "d-1",
        "dataset_name": "Handbook",
        "document_id": f"doc-{position}",
        "document_name": name,
        "data_source_type": "upload_file",
        "segment_id": f"s-{position}",
        "retriever_from": "api",
        "score": 0.9,
        "content": "SECRET PASSAGE",
    }
