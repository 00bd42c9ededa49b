"""Names for conversations. DB-GPT takes any and tells none: whoever asks makes it up, and whoever knows one may go on with it.

So each is made for one `user` of the bridge, and says so: what was made for somebody else is not asked about. It looks like a
UUID because DB-GPT's own do.
"""

import secrets
from hashlib import sha256
from uuid import UUID

from bridge.messages import BackendConversationId, BackendMessageId, BackendUser


def begin(user: BackendUser) -> BackendConversationId:
    """A new one. Nobody can guess it."""
    return _spell(secrets.token_bytes(8), user)


def belongs_to(conversation: BackendConversationId, user: BackendUser) -> bool:
    try:
        raw = UUID(conversation).bytes
    except ValueError:
        return False
    return _spell(raw[:8], user) == conversation


def name_round(conversation: BackendConversationId, order: int) -> BackendMessageId:
    return BackendMessageId(f"{conversation}/{order}")


def order_of(message: BackendMessageId | None) -> int | None:
    """Which round it is; None when it is not one of ours."""
    order = (message or "").rpartition("/")[2]
    return int(order) if order.isascii() and order.isdigit() and len(order) < 10 else None


def _spell(chance: bytes, user: BackendUser) -> BackendConversationId:
    mark = sha256(b"conversation\0" + chance + user.encode()).digest()[:8]
    return BackendConversationId(str(UUID(bytes=chance + mark)))
