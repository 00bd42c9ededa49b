"""The stand-in Dify as a server on a real port: routes, the key, the limit on connections; and what tests and the page hold."""

import secrets
from collections.abc import Awaitable, Callable

from aiohttp import web

from bridge.clock import Clock
from bridge.playground.dify import (
    alone_api,
    audio_api,
    chat,
    control,
    files_api,
    history_api,
    people_api,
    records_api,
)
from bridge.playground.dify.faults import Faults
from bridge.playground.dify.features import Features
from bridge.playground.dify.kept_files import MadeFile, Upload
from bridge.playground.dify.people import WaitingRun
from bridge.playground.dify.places import Places
from bridge.playground.dify.records import (
    Asked,
    ChatRequest,
    Conversation,
    DeleteCall,
    NameCall,
    Rating,
    RatingCall,
    Recording,
    SpeechCall,
    StopCall,
    StoredRun,
)
from bridge.playground.dify.script import Reply
from bridge.playground.dify.state import DifyState
from bridge.playground.dify.wire import Json, Refused, lacking, not_found_page

# Measured: a connection idle for 1.9 s was reused, at 2.5 s it was closed.
KEEP_ALIVE_SECONDS = 2.0

Endpoint = Callable[[DifyState, web.Request], Awaitable[web.StreamResponse]]

_ENDPOINTS: tuple[tuple[str, str, Endpoint], ...] = (
    ("POST", "/v1/chat-messages", chat.ask),
    ("POST", "/v1/chat-messages/{task_id}/stop", chat.stop),
    ("POST", "/v1/completion-messages", alone_api.complete),
    ("POST", "/v1/completion-messages/{task_id}/stop", alone_api.stop_completion),
    ("POST", "/v1/workflows/run", alone_api.run_workflow),
    ("POST", "/v1/workflows/tasks/{task_id}/stop", alone_api.stop_workflow),
    ("POST", "/v1/messages/{message_id}/feedbacks", records_api.rate),
    ("GET", "/v1/messages/{message_id}/suggested", records_api.suggested),
    ("POST", "/v1/files/upload", files_api.upload),
    ("POST", "/v1/audio-to-text", audio_api.transcribe),
    ("POST", "/v1/text-to-audio", audio_api.speak),
    ("GET", "/v1/info", records_api.info),
    ("GET", "/v1/parameters", records_api.parameters),
    ("GET", "/v1/messages", history_api.messages),
    ("GET", "/v1/conversations", history_api.conversations),
    ("POST", "/v1/conversations/{conversation_id}/name", history_api.rename),
    ("DELETE", "/v1/conversations/{conversation_id}", history_api.delete),
    ("GET", "/v1/workflows/run/{run_id}", history_api.run_detail),
    ("GET", "/v1/workflow/{run_id}/events", people_api.events),
    ("GET", "/v1/form/human_input/{token}", people_api.show_form),
    ("POST", "/v1/form/human_input/{token}", people_api.submit_form),
)
_NAMED_CALLS = {
    "feedback": ("/v1/messages/{message_id}/feedbacks",),
    "files": ("/v1/files/upload",),
    "audio": ("/v1/audio-to-text", "/v1/text-to-audio"),
    "suggested": ("/v1/messages/{message_id}/suggested",),
    "parameters": ("/v1/parameters",),
    "stop": ("/v1/chat-messages/{task_id}/stop",),
    "conversations": ("/v1/conversations", "/v1/messages"),
    "info": ("/v1/info",),
    "names": ("/v1/conversations/{conversation_id}/name",),
}
_FILES = "/files/"
"""What is below this needs no key: the address is signed."""
_DOWNLOADS: tuple[tuple[str, str, Endpoint], ...] = (
    ("GET", _FILES + "tools/{name}", files_api.download),
    ("GET", _FILES + "{upload_id}/file-preview", files_api.download),
)
_CONTROLS: tuple[tuple[str, str, Endpoint], ...] = (
    ("GET", "/control/requests", control.show_requests),
    ("GET", "/control/questions", control.show_questions),
    ("GET", "/control/ratings", control.show_ratings),
    ("GET", "/control/uploads", control.show_uploads),
    ("GET", "/control/recordings", control.show_recordings),
    ("GET", "/control/names", control.show_names),
    ("GET", "/control/features", control.show_features),
    ("POST", "/control/features", control.set_features),
    ("GET", "/control/faults", control.show_faults),
    ("POST", "/control/faults", control.set_faults),
)


class DifyServer:
    """Start it, read `base_url` and `api_key`, and ask. Everything it was asked can be looked at; nothing is kept on disk."""

    def __init__(self, clock: Clock, mode: str = "chat", version: str = "1.12.1", api_key: str = "") -> None:
        """`mode` as `GET /info` spells it; calls of another kind of app are refused."""
        self._state = DifyState(clock, mode, version, api_key or f"app-{secrets.token_hex(12)}")
        self._places = Places(lambda: self._state.max_connections)
        self._runner: web.AppRunner | None = None
        self._host = ""
        self._port = 0

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Port 0 takes a free one. After `stop` it may be started again, with everything it remembers."""
        app = web.Application(middlewares=[self._guard], client_max_size=100 * 1024 * 1024)
        for method, path, endpoint in (*_ENDPOINTS, *_DOWNLOADS, *_CONTROLS):
            app.router.add_route(method, path, self._bind(endpoint))
        runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, keepalive_timeout=KEEP_ALIVE_SECONDS, shutdown_timeout=0.1
        )
        await runner.setup()
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner, self._host = runner, host
        self._port = runner.addresses[0][1]
        self._state.origin = f"http://{self._host}:{self._port}"
        self._state.stopping = False

    async def stop(self) -> None:
        """Cuts what is running, as a killed server does."""
        self._state.stopping = True
        for paused in self._state.waiting_runs.values():
            paused.close()
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def come_back(self) -> None:
        """After `stop`, at the same address and with everything it remembers."""
        await self.start(self._host, self._port)

    @property
    def base_url(self) -> str:
        return f"http://{self._host}:{self._port}/v1"

    @property
    def api_key(self) -> str:
        return self._state.api_key

    @property
    def requests(self) -> list[ChatRequest]:
        return self._state.requests

    @property
    def conversations(self) -> dict[str, Conversation]:
        return self._state.conversations

    @property
    def runs(self) -> dict[str, StoredRun]:
        """Runs of a workflow or a chatflow, by id."""
        return self._state.runs

    @property
    def paused(self) -> list[WaitingRun]:
        """Runs that waited for people once, the oldest first."""
        return list(self._state.waiting_runs.values())

    @property
    def ratings(self) -> dict[str, Rating]:
        return self._state.ratings

    @property
    def rating_log(self) -> list[RatingCall]:
        return self._state.rating_log

    @property
    def stops(self) -> list[str]:
        return self._state.stops

    @property
    def stop_log(self) -> list[StopCall]:
        return self._state.stop_log

    def questions(self) -> dict[str, Asked]:
        """What came of every text that was asked: how often it arrived and ran, for whom, where, how it ended."""
        return self._state.questions()

    def forget_conversations(self) -> None:
        """Somebody deleted them all; nobody can continue one any more."""
        self._state.conversations.clear()
        self._state.changed()

    @property
    def faults(self) -> Faults:
        return self._state.faults

    @property
    def first_token(self) -> float:
        """Seconds before the first token."""
        return self._state.first_token

    @first_token.setter
    def first_token(self, seconds: float) -> None:
        self._state.first_token = seconds

    @property
    def per_token(self) -> float:
        """Seconds between two tokens."""
        return self._state.per_token

    @per_token.setter
    def per_token(self, seconds: float) -> None:
        self._state.per_token = seconds

    @property
    def ping_every(self) -> float:
        return self._state.ping_every

    @ping_every.setter
    def ping_every(self, seconds: float) -> None:
        self._state.ping_every = seconds

    @property
    def max_connections(self) -> int:
        """Requests served at once, ten in a stock Dify; later ones wait."""
        return self._state.max_connections

    @max_connections.setter
    def max_connections(self, limit: int) -> None:
        self._state.max_connections = limit
        self._places.let_in()

    @property
    def features(self) -> Features:
        """What its app does besides text. Everything is off unless it is switched on."""
        return self._state.features

    @features.setter
    def features(self, features: Features) -> None:
        self._state.features = features

    @property
    def mode(self) -> str:
        """The kind of app, as `GET /info` spells it. May be changed between two questions."""
        return self._state.mode

    @mode.setter
    def mode(self, mode: str) -> None:
        self._state.mode = mode

    @property
    def uploads(self) -> dict[str, Upload]:
        """Files that were handed over, by id."""
        return self._state.uploads

    @property
    def recordings(self) -> list[Recording]:
        """What was turned into text."""
        return self._state.recordings

    @property
    def speech_log(self) -> list[SpeechCall]:
        """What was read aloud, in order."""
        return self._state.speech_log

    @property
    def delete_log(self) -> list[DeleteCall]:
        """Conversations that were to be deleted, in order."""
        return self._state.delete_log

    @property
    def name_log(self) -> list[NameCall]:
        """Calls that gave a conversation its title."""
        return self._state.name_log

    @property
    def titles(self) -> Callable[[str], str]:
        """What the model calls a conversation that begins with this question, before Dify cuts it at 75 characters."""
        return self._state.titles

    @titles.setter
    def titles(self, titles: Callable[[str], str]) -> None:
        self._state.titles = titles

    def link_to(self, file: MadeFile) -> str:
        """A signed address that opens this file, for a script to write into its answer."""
        return self._state.link_to(file)

    @property
    def downloads(self) -> list[str]:
        """Paths of files that were fetched."""
        return self._state.downloads

    @property
    def required_inputs(self) -> list[str]:
        """Inputs without which the app refuses a question."""
        return self._state.required_inputs

    def imitate(self, **lacks: int) -> None:
        """From now on it only speaks like Dify: it names no version, and lacks these calls, told by 404 or 405. They are named
        after what they do: feedback, files, audio, suggested, parameters, stop, conversations, info, names."""
        self._state.dialect.names_version = False
        self._state.lacks = {path: status for name, status in lacks.items() for path in _NAMED_CALLS[name]}

    @property
    def question_input(self) -> str | None:
        """The input of a completion or workflow app that takes the question, "" for none; None: the usual one."""
        return self._state.question_input

    @question_input.setter
    def question_input(self, name: str | None) -> None:
        self._state.question_input = name

    @property
    def form(self) -> list[Json]:
        """Further fields of the app's form, as `inputs.form_field` makes them."""
        return self._state.form

    @property
    def script(self) -> Callable[[str], Reply] | None:
        """What to answer to a question; None for the built-in answers."""
        return self._state.script

    @script.setter
    def script(self, script: Callable[[str], Reply] | None) -> None:
        self._state.script = script

    def on_change(self, callback: Callable[[], None]) -> None:
        """Called, on the event loop, whenever a request, a rating or a stop has come or ended."""
        self._state.on_change(callback)

    def snapshot(self) -> dict[str, object]:
        """What the page shows, ready for JSON."""
        return control.snapshot(self._state)

    def set_faults(self, wanted: dict[str, object]) -> None:
        """As the control API takes them. Raises `ValueError`."""
        control.apply_faults(self._state, wanted)
        self._places.let_in()
        self._state.changed()

    async def until(self, condition: Callable[[], bool], timeout: float = 5.0) -> None:
        """Returns once `condition` holds. Raises `TimeoutError`."""
        await self._state.until(condition, timeout)

    async def request_count(self, count: int, timeout: float = 5.0) -> None:
        """Returns once so many chat requests have arrived. Raises `TimeoutError`."""
        await self._state.until(lambda: len(self._state.requests) >= count, timeout)

    def _bind(self, endpoint: Endpoint) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            return await endpoint(self._state, request)

        return serve

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if request.path.startswith("/control/"):
            response = await handler(request)
            self._places.let_in()
            return response
        async with self._places.take():
            response = await self._answer(request, handler)
        if not response.prepared:
            response.headers.update(self._state.dialect.headers())
        return response

    async def _answer(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        dialect = self._state.dialect
        problem = request.match_info.http_exception
        if problem is not None:
            if problem.status == 405:
                message = "The method is not allowed for the requested URL."
                return dialect.refuse(405, "method_not_allowed", message).response
            return not_found_page()
        resource = request.match_info.route.resource
        if resource is not None and resource.canonical in self._state.lacks:
            return lacking(self._state.lacks[resource.canonical])
        try:
            if (
                not request.path.startswith(_FILES)
                and request.headers.get("Authorization") != f"Bearer {self._state.api_key}"
            ):
                raise dialect.refuse(401, "unauthorized", "Access token is invalid")
            return await handler(request)
        except Refused as refused:
            return refused.response
