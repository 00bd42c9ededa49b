"""Posts a member's file to Dify as a form. What is sent where, and what the answer means, is known elsewhere."""

import asyncio
from pathlib import Path
from typing import BinaryIO
from weakref import WeakValueDictionary

import aiohttp

from bridge.backends.dify.client import DifyClient
from bridge.messages import BackendUser
from bridge.remote.calling import REFUSAL_BYTES
from bridge.remote.refusing import Refusal


class FileSender:
    def __init__(self, client: DifyClient, limit: float) -> None:
        """`limit`: seconds that one file may take, the answer to it included."""
        self._client = client
        self._limit = limit
        self._first_contacts: WeakValueDictionary[BackendUser, asyncio.Lock] = WeakValueDictionary()
        """Dify makes a user at the first call without a lock: two at once may make two of one, and lose what one of them owns."""

    async def send(
        self, path: str, content: Path, *, name: str, media_type: str, user: BackendUser, max_bytes: int = REFUSAL_BYTES
    ) -> Refusal:
        """Whatever Dify answered, as far as `max_bytes`. `name` and `media_type` are sent as they are. Raises `BackendError`."""
        lock = self._first_contacts.setdefault(user, asyncio.Lock())
        opened: list[BinaryIO] = []

        async def fill() -> aiohttp.FormData:
            opened.append(await asyncio.to_thread(content.open, "rb"))
            # Names in their own letters, as browsers send them and Dify reads them; `name_for_dify` took the quotes out.
            form = aiohttp.FormData(quote_fields=False)
            form.add_field("user", user)
            # Dify refuses a part without a type.
            form.add_field("file", opened[-1], filename=name, content_type=media_type)
            return form

        async with lock:
            try:
                return await self._client.post_form(path, fill, self._limit, max_bytes)
            finally:
                for file in opened:
                    await asyncio.to_thread(file.close)
