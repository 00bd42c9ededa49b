"""Encrypts what opens doors, so that a copy of the database opens none. Imported only where there is something to encrypt."""

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from pydantic import SecretStr, TypeAdapter, ValidationError

_FERNET_KEY = re.compile(r"[A-Za-z0-9_-]{43}=")
_SALT = b"dify-chat-bridge ENCRYPTION_KEY"
_COST = {"n": 2**15, "r": 8, "p": 3}
"""32 MB and about a quarter of a second, once per key and start (OWASP, Password Storage Cheat Sheet, scrypt)."""

_CONTENT = TypeAdapter(dict[str, str])


class Vault:
    """`keys`: the first one encrypts, any of them decrypts. Each is a Fernet key, or any other text.

    Such a text goes through scrypt rather than HKDF, for it may be a sentence that somebody made up, and then guessing it must be
    dear. The salt is the same everywhere, since processes share nothing but the key: so two bridges with the same text have the
    same key, and no more.
    """

    def __init__(self, keys: Sequence[SecretStr]) -> None:
        if not keys:
            raise ValueError("a vault needs a key")
        made = [Fernet(_make_key(key.get_secret_value())) for key in keys]
        self._newest = made[0]
        self._any = MultiFernet(made)

    def seal(self, owner: str, secrets: Mapping[str, SecretStr]) -> str:
        """`owner` is sealed in: what was copied from one row to another cannot be opened there."""
        content = {name: secret.get_secret_value() for name, secret in secrets.items()}
        return self._newest.encrypt(json.dumps([owner, content]).encode()).decode()

    def unseal(self, owner: str, sealed: str) -> Mapping[str, SecretStr] | None:
        """None: no key opens it, or it was sealed for another owner."""
        try:
            named, content = json.loads(self._any.decrypt(sealed.encode()))
            if named != owner:
                return None
            return {name: SecretStr(secret) for name, secret in _CONTENT.validate_python(content).items()}
        except (InvalidToken, ValueError, TypeError, ValidationError):
            # Nothing of the error goes on: it may quote what was decrypted.
            return None

    def reseal(self, sealed: str) -> str | None:
        """The same under the newest key. None: it is that already, or no key opens it."""
        try:
            self._newest.decrypt(sealed.encode())
        except InvalidToken:
            try:
                return self._any.rotate(sealed.encode()).decode()
            except InvalidToken:
                return None
        return None


def _make_key(text: str) -> bytes:
    if _FERNET_KEY.fullmatch(text):
        return text.encode()
    return urlsafe_b64encode(Scrypt(salt=_SALT, length=32, **_COST).derive(text.encode()))
