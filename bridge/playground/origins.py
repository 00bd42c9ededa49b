"""Which of Dify's messages a chat message shows, looked up in the bridge's own record. Reads only."""

import asyncio
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

_QUERY = """
SELECT outbound_message.platform, outbound_message.message_address, answer.backend_message_id
FROM outbound_message JOIN answer ON answer.id = outbound_message.answer_id
WHERE answer.backend_message_id <> ''
"""

_NOT_YET = ("unable to open", "no such table", "database is locked")
"""The bridge is just being started or is busy. The next picture asks again."""

Place = tuple[str, str, str]
"""Platform, channel, message, each with the platform's own id."""


class Origins:
    """What was found once is remembered: a message never changes the answer that it belongs to."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._known: dict[Place, str] = {}

    def get(self, place: Place) -> str | None:
        return self._known.get(place)

    async def find(self, places: Iterable[Place]) -> None:
        """Looks up those that are not known yet."""
        missing = [place for place in places if place not in self._known]
        if missing:
            self._known |= await asyncio.to_thread(self._look_up, missing)

    def _look_up(self, places: list[Place]) -> dict[Place, str]:
        try:
            with closing(
                sqlite3.connect(f"{self._database.absolute().as_uri()}?mode=ro", uri=True, timeout=0.5)
            ) as database:
                rows: list[Place] = database.execute(_QUERY).fetchall()
        except sqlite3.OperationalError as error:
            if not str(error).startswith(_NOT_YET):
                raise
            return {}
        # Addresses are the adapters' own spelling, but each names its channel and its message somewhere.
        return {
            place: origin
            for place in places
            for platform, address, origin in rows
            # One that is only intended has no address yet.
            if address and platform == place[0] and place[1] in address and address.endswith(place[2])
        }
