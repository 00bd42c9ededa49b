"""A balancer as one stands before several bridges for Slack over HTTP.

It takes turns. Who refuses, or says 503 because it is ending, is passed over; what reached a process that then died
is not tried elsewhere, so that Slack has something to deliver again.
"""

from collections.abc import Sequence

import aiohttp
from aiohttp import web

_HOP_BY_HOP = {"host", "content-length", "transfer-encoding", "connection"}
PATIENCE = aiohttp.ClientTimeout(total=10, connect=2)


class Balancer:
    def __init__(self) -> None:
        self.ports: Sequence[int] = ()
        """Of the processes that there are, dead ones included."""
        self.refused = 0
        """Deliveries that no process took."""
        self._turn = 0
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> str:
        """Returns the address to which Slack delivers."""
        # A fresh connection each time: one that is kept could belong to a process that was killed meanwhile.
        self._session = aiohttp.ClientSession(timeout=PATIENCE, connector=aiohttp.TCPConnector(force_close=True))
        app = web.Application()
        app.router.add_post("/slack/events", self._pass_on)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}/slack/events"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    async def _pass_on(self, request: web.Request) -> web.Response:
        assert self._session is not None
        body = await request.read()
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
        self._turn += 1
        for number in range(len(self.ports)):
            port = self.ports[(self._turn + number) % len(self.ports)]
            try:
                async with self._session.post(
                    f"http://127.0.0.1:{port}/slack/events", data=body, headers=headers
                ) as answer:
                    if answer.status != 503:
                        return web.Response(status=answer.status, body=await answer.read())
            except aiohttp.ClientConnectorError:
                continue
            except (aiohttp.ClientError, TimeoutError):
                return web.Response(status=502)
        self.refused += 1
        return web.Response(status=503)
