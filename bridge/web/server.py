"""One HTTP port: `/livez`, `/readyz`, `/metrics` and the routes of platforms that are called over HTTP."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from bridge import logs
from bridge.errors import SettingsError
from bridge.metrics import CONTENT_TYPE, Metrics
from bridge.web.routes import WebRoute

_log = logs.get("web")

Readiness = Callable[[], Awaitable[tuple[bool, Mapping[str, object]]]]
"""Whether questions would be taken and answered now, and the parts that say so or not (JSON values)."""

_LARGEST_BODY = 1024 * 1024
"""Slack's events are a few kilobytes; anything beyond a megabyte is refused with 413."""


class WebServer:
    def __init__(
        self,
        *,
        host: str,
        port: int,
        readiness: Readiness,
        routes: Sequence[WebRoute] = (),
        metrics: Metrics | None = None,
    ) -> None:
        self._host = host
        self._wanted_port = port
        self._readiness = readiness
        self._routes = routes
        self._metrics = metrics or Metrics()
        self._runner: web.AppRunner | None = None

    @property
    def port(self) -> int:
        """The port that is served; useful when 0 was asked for."""
        if self._runner is None or not self._runner.addresses:
            return self._wanted_port
        return int(self._runner.addresses[0][1])

    async def start(self) -> None:
        """Raises `SettingsError` when the address cannot be had."""
        app = web.Application(client_max_size=_LARGEST_BODY)
        app.router.add_get("/livez", self._livez)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._show_metrics)
        for route in self._routes:
            app.router.add_route(route.method, route.path, route.handler)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=5.0, logger=_quiet_logger())
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._wanted_port).start()
        except OSError as error:
            await runner.cleanup()
            raise SettingsError([explain_address(self._host, self._wanted_port, error)]) from error
        self._runner = runner
        _log.info("listening", host=self._host, port=self.port)

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _livez(self, _request: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def _readyz(self, _request: web.Request) -> web.Response:
        ready, parts = await self._readiness()
        return web.json_response({"ready": ready, **parts}, status=200 if ready else 503)

    async def _show_metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=self._metrics.render(), headers={"Content-Type": CONTENT_TYPE})


def _quiet_logger() -> logging.Logger:
    """aiohttp's, without the stack traces of requests that are no HTTP: anybody on the network can send those."""
    logger = logging.getLogger("aiohttp.server.bridge")
    if not logger.filters:
        logger.addFilter(_is_our_fault)
    return logger


def _is_our_fault(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if not isinstance(error, HttpProcessingError):
        return True
    _log.info("no_http", status=error.code)
    return False


def explain_address(host: str, port: int, error: OSError) -> str:
    """One sentence for an operator whose address cannot be listened on."""
    if isinstance(error, PermissionError):
        return f"HTTP_PORT: port {port} needs more rights than this user has; choose one above 1023."
    if error.errno == 98 or "in use" in str(error):
        return f"HTTP_PORT: port {port} on {host} is taken by another program; stop that one or set HTTP_PORT to a free port."
    return f"HTTP_HOST: cannot listen on {host}:{port} ({error.strerror or error})."
