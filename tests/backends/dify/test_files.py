"""Files both ways: a member's to Dify, an app's from Dify and from nowhere else."""

import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import ResolveResult

from bridge.backend_api import Fate, FileProduced, SourcesCited, UploadedFile
from bridge.backends.dify.backend import DifyBackend
from bridge.backends.dify.client import DifyClient
from bridge.backends.dify.fetching import Fetcher
from bridge.backends.dify.uploading import name_for_dify
from bridge.clock import SystemClock
from bridge.errors import (
    BackendCut,
    BackendError,
    BackendFailed,
    BackendMisconfigured,
    BackendTimeout,
    BackendUnreachable,
    QuestionRefused,
)
from bridge.messages import BackendIds, BackendUser, ProducedFile
from bridge.playground.dify import DifyServer, MadeFile, Reply, everything_on
from bridge.remote import outside
from tests.backends.dify.asking import ask, hear, make_backend, make_settings
from tests.backends.dify.scripted import IDS, ScriptedServer, data
from tests.contracts.backend_suite import ids_of
from tests.fakes.ports import free_port

PNG = b"\x89PNG not really"
CHART = MadeFile(name="chart.png", kind="image", media_type="image/png", content=PNG)
MODES = ("chat", "agent-chat", "advanced-chat")
ME = BackendUser("thread-1")


class MovedClock(SystemClock):
    ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture(params=["chat"])
async def server(request: pytest.FixtureRequest, clock: MovedClock) -> AsyncIterator[DifyServer]:
    server = DifyServer(clock, mode=request.param)
    server.first_token = server.per_token = 0
    server.features = everything_on()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def backend(server: DifyServer) -> AsyncIterator[DifyBackend]:
    backend = make_backend(server.base_url, dify_api_key=server.api_key, dify_parameters_age=0)
    yield backend
    await backend.close()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture"
    path.write_bytes(PNG)
    return path


async def test_an_uploaded_file_arrives_with_its_question(
    server: DifyServer, backend: DifyBackend, picture: Path
) -> None:
    rules = await backend.file_rules()
    kept = await backend.upload(picture, "Ünï 日本.png", "image/png", rules.kinds["png"], ME)

    outcome = await hear(backend.answer(replace(ask(), files=(kept,))))

    assert "Ünï 日本.png (image, 15 bytes)" in outcome.text
    (upload,) = server.uploads.values()
    assert (upload.content, upload.media_type, upload.user) == (PNG, "image/png", ME)


@pytest.mark.parametrize(
    ("name", "media_type", "kind", "used"),
    [
        ("a.png", "image/png", "image", "a.png"),
        ("A.PNG", "image/png", "image", "A.PNG"),
        ('a/b\\c:d*?"<e>|.png', "image/png", "image", "a_b_c_d____e__.png"),
        ("photo", "image/jpeg", "image", "photo.jpg"),
        ("main.py", "text/plain; charset=utf-8", "document", "main.py.txt"),
        ("x.log", "text/plain", "custom", "x.log"),
        ("", "image/png", "image", "file.png"),
        ("..", "", "image", "file"),
        ("a\r\nb.png", "image/png", "image", "a b.png"),
        ("x" * 300 + ".png", "image/png", "image", "x" * 196 + ".png"),
    ],
)
def test_names_are_made_such_that_dify_takes_and_understands_them(
    name: str, media_type: str, kind: str, used: str
) -> None:
    assert name_for_dify(name, media_type, kind) == used


async def test_a_file_that_dify_refuses_is_refused_with_a_sentence(
    server: DifyServer, backend: DifyBackend, picture: Path
) -> None:
    server.features.image_mb = 0.00001
    with pytest.raises(QuestionRefused) as caught:
        await backend.upload(picture, "a.png", "image/png", "image", ME)

    assert caught.value.code == "file_too_large"
    assert caught.value.user_message == "It is larger than the app takes."


async def test_a_file_for_a_dify_that_is_down_can_be_handed_over_later(
    server: DifyServer, backend: DifyBackend, picture: Path
) -> None:
    await server.stop()
    with pytest.raises(BackendUnreachable) as caught:
        await backend.upload(picture, "a.png", "image/png", "image", ME)
    assert caught.value.may_retry

    await server.come_back()
    await backend.upload(picture, "a.png", "image/png", "image", ME)
    assert [upload.content for upload in server.uploads.values()] == [PNG]


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (413, "<html>nginx</html>", QuestionRefused, "larger"),
        (415, {"code": "unsupported_file_type", "message": "x", "status": 415}, QuestionRefused, "of this kind"),
        (400, {"code": "file_extension_blocked", "message": "x", "status": 400}, QuestionRefused, "of this kind"),
        (400, {"code": "invalid_param", "message": "bad name", "status": 400}, QuestionRefused, "did not accept this file"),
        (401, {"code": "unauthorized", "message": "x", "status": 401}, BackendMisconfigured, "does not let this bot in"),
        (500, {"code": "internal_server_error", "message": "x"}, BackendFailed, "problem of its own"),
        (201, {"name": "no id"}, BackendFailed, "failed"),
    ],
)  # fmt: skip
async def test_every_refusal_of_an_upload_has_its_sentence(
    picture: Path, status: int, body: object, error: type[BackendError], words: str
) -> None:
    async def refuse(request: web.Request) -> web.Response:
        await request.read()
        if isinstance(body, str):
            return web.Response(text=body, status=status, content_type="text/html")
        return web.json_response(body, status=status)

    async with OneAnswer(refuse) as url:
        backend = make_backend(url + "/v1")
        with pytest.raises(error) as caught:
            await backend.upload(picture, "a.png", "image/png", "image", ME)
        await backend.close()

    assert words in caught.value.user_message


async def test_a_question_that_is_refused_for_its_file_says_so(server: DifyServer, backend: DifyBackend) -> None:
    unknown = UploadedFile(id="00000000-0000-0000-0000-000000000000", kind="image")

    outcome = await hear(backend.answer(replace(ask(), files=(unknown,))))

    assert isinstance(outcome.error, QuestionRefused)
    assert outcome.error.user_message == "The app did not accept the files of this question."


@pytest.mark.parametrize("server", MODES, indirect=True)
async def test_a_made_file_and_the_sources_come_with_the_answer_and_are_recovered(
    server: DifyServer, backend: DifyBackend, tmp_path: Path, clock: MovedClock
) -> None:
    server.script = lambda query: Reply(
        tokens=["here"], files=(CHART,), tool="bar_chart", sources=("B.pdf", "A.pdf", "B.pdf", " ")
    )
    outcome = await hear(backend.answer(ask()))
    (file,) = [event.file for event in outcome.events if isinstance(event, FileProduced)]
    (cited,) = [event.names for event in outcome.events if isinstance(event, SourcesCited)]

    assert cited == ("1. B.pdf (0.90)", "2. A.pdf (0.90)")
    assert file.kind == "image"
    assert file.name == ("chart.png" if server.mode == "advanced-chat" else "image.png")
    assert await backend.fetch(file, tmp_path / "out", 1000) == "image/png"
    assert (tmp_path / "out").read_bytes() == PNG
    assert outcome.text.startswith("here")

    clock.ahead = timedelta(seconds=301)
    with pytest.raises(BackendFailed) as caught:
        await backend.fetch(file, tmp_path / "late", 1000)
    assert not caught.value.may_retry
    assert not (tmp_path / "late").exists()
    found = await backend.recover(ask(), replace(ids_of(outcome.events), run=None), None)
    assert (found.fate, found.sources) == (Fate.ANSWERED, cited)
    assert await backend.fetch(found.files[0], tmp_path / "again", 1000) == "image/png"


async def test_an_answer_that_failed_has_no_files_to_recover(server: DifyServer, backend: DifyBackend) -> None:
    await hear(backend.answer(ask("error")))
    request = server.requests[-1]
    assert request.stored is not None

    found = await backend.recover(ask("error"), BackendIds(), None)

    assert (found.fate, found.files, found.sources) == (Fate.FAILED, (), ())


async def test_of_what_a_stream_names_only_the_apps_own_files_are_told_each_once() -> None:
    def told(name: str, **fields: object) -> dict[str, object]:
        return {"id": None, "type": "image", "filename": name, "url": f"/files/{name}?sign=1", **fields}

    listed = [
        told("mine.png", transfer_method="local_file"),
        told("made.png", transfer_method="tool_file", mime_type="image/png", size=5),
        told("odd.bin", type="custom", size=-1),
        told("nowhere.png", url=None),
        "nonsense",
    ]
    steps = [
        data(event="message_file", **IDS, **told("theirs.png", belongs_to="user")),
        data(event="workflow_finished", **IDS, data={"status": "succeeded", "files": listed}),
        data(event="message_end", **IDS, metadata={}, files=listed),
    ]
    async with ScriptedServer(steps=steps) as server:
        backend = make_backend(server.base_url)
        outcome = await hear(backend.answer(ask()))
        await backend.close()

    files = [event.file for event in outcome.events if isinstance(event, FileProduced)]
    assert [(file.name, file.kind, file.media_type, file.size) for file in files] == [
        ("made.png", "image", "image/png", 5),
        ("odd.bin", "file", "", None),
    ]


async def test_sources_come_in_their_order_with_their_places_and_no_more_than_ten() -> None:
    told: list[dict[str, object]] = [
        {"position": 3, "document_name": "C\n.pdf", "content": "SECRET"},
        {"position": 1, "document_name": "A.pdf", "content": "SECRET"},
        {"position": 2, "document_name": None, "title": "A page of the web"},
        {"document_name": "x" * 300},
        *({"position": 10 + number, "document_name": f"{number}.md"} for number in range(20)),
    ]
    steps = [data(event="message_end", **IDS, metadata={"retriever_resources": told}, files=None)]
    async with ScriptedServer(steps=steps) as server:
        backend = make_backend(server.base_url)
        outcome = await hear(backend.answer(ask()))
        await backend.close()

    (cited,) = [event.names for event in outcome.events if isinstance(event, SourcesCited)]
    assert cited[:4] == ("1. A.pdf", "2. A page of the web", "3. C .pdf", "10. 0.md")
    assert len(cited) == 10
    assert "SECRET" not in repr(outcome.events)


@pytest.mark.parametrize(
    ("base", "files_url", "address", "fetched"),
    [
        ("https://dify.example.com/v1", None, "http://dify.example.com/files/a", "https://dify.example.com/files/a"),
        ("https://dify.example.com/v1", None, "/files/a?b=c", "https://dify.example.com/files/a?b=c"),
        ("https://example.com/dify/v1", None, "/files/a", "https://example.com/dify/files/a"),
        ("https://example.com/mapped", None, "/files/a", "https://example.com/files/a"),
        ("https://example.com/v1", "http://example.com", "http://example.com/files/a", "http://example.com/files/a"),
        ("http://10.0.0.5:5001/v1", "http://dify", "/files/a", "http://dify/files/a"),
        ("http://10.0.0.5:5001/v1", None, "http://10.0.0.5/files/a", ""),
        ("https://example.com/v1", None, "https://example.com:8443/files/a", ""),
    ],
)
def test_where_an_address_leads(base: str, files_url: str | None, address: str, fetched: str) -> None:
    settings = make_settings(base, dify_files_url=files_url)
    fetcher = Fetcher(DifyClient(settings, SystemClock()), settings)
    try:
        found = str(fetcher._resolve(address))
    except BackendFailed:
        found = ""
    assert found == fetched


async def test_a_relative_address_is_beside_the_api(server: DifyServer, backend: DifyBackend, tmp_path: Path) -> None:
    server.features.files_url = ""
    server.script = lambda query: Reply(tokens=["here"], files=(CHART,))
    outcome = await hear(backend.answer(ask()))
    (file,) = [event.file for event in outcome.events if isinstance(event, FileProduced)]

    assert file.address.startswith("/files/tools/")
    assert await backend.fetch(file, tmp_path / "out", 1000) == "image/png"


class OneAnswer:
    """A server that answers everything in one way."""

    def __init__(self, answer: Callable[[web.Request], object]) -> None:
        self._answer = answer
        self.seen: list[web.Request] = []

    async def __aenter__(self) -> str:
        async def serve(request: web.Request) -> web.StreamResponse:
            self.seen.append(request)
            reply = self._answer(request)
            if not isinstance(reply, web.StreamResponse):
                reply = await reply  # type: ignore[misc]
            return reply

        app = web.Application(client_max_size=10**8)
        app.router.add_route("*", "/{path:.*}", serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()


def made(address: str, name: str = "a.png") -> ProducedFile:
    return ProducedFile(name=name, kind="image", address=address)


class TestFetching:
    async def fetch(self, base: str, address: str, into: Path, most: int = 1000, **settings: object) -> str:
        backend = make_backend(base + "/v1", **settings)
        try:
            return await backend.fetch(made(address), into, most)
        finally:
            await backend.close()

    async def test_nothing_is_fetched_from_anywhere_else(self, tmp_path: Path) -> None:
        other = OneAnswer(lambda request: web.Response(body=PNG))
        own = OneAnswer(lambda request: web.Response(body=PNG))
        async with own as url, other as elsewhere:
            port = urlsplit(url).port
            for address in (
                f"{elsewhere}/files/tools/a.png?sign=SECRET",
                f"http://localhost:{port}/files/tools/a.png",
                f"http://127.0.0.1.example.com:{port}/files/a.png",
                f"http://me@127.0.0.1:{port}/files/a.png",
                f"//127.0.0.1:{port}/files/a.png",
                "http://169.254.169.254/latest/meta-data",
                "file:///etc/passwd",
                "ftp://127.0.0.1/a",
                "http://[broken/a",
            ):
                with pytest.raises(BackendFailed) as caught:
                    await self.fetch(url, address, tmp_path / "out")
                assert "not from the configured server" in str(caught.value)
                assert "SECRET" not in str(caught.value)
                assert not caught.value.may_retry
        assert other.seen == own.seen == []

    async def test_the_address_that_dify_is_set_to_give_is_allowed_too(self, tmp_path: Path) -> None:
        files = OneAnswer(lambda request: web.Response(body=PNG, content_type="image/png"))
        own = OneAnswer(lambda request: web.Response(status=500))
        async with own as url, files as elsewhere:
            for address in (f"{elsewhere}/files/tools/a.png?sign=a", "/files/tools/a.png?sign=a"):
                kind = await self.fetch(url, address, tmp_path / "out", dify_files_url=elsewhere)
                assert kind == "image/png"
        assert own.seen == []
        assert [request.path_qs for request in files.seen] == ["/files/tools/a.png?sign=a"] * 2

    async def test_the_key_is_not_sent_and_the_signature_arrives_as_it_was(self, tmp_path: Path) -> None:
        own = OneAnswer(lambda request: web.Response(body=PNG))
        async with own as url:
            signed = "/files/tools/a.png?timestamp=1&nonce=2&sign=-f7i8MM64B0BHu_hD0pacg%3D"
            await self.fetch(url, url + signed, tmp_path / "out")
        (request,) = own.seen
        assert "Authorization" not in request.headers
        assert request.query["sign"] == "-f7i8MM64B0BHu_hD0pacg="

    async def test_redirects_are_followed_on_the_server_and_not_off_it(self, tmp_path: Path) -> None:
        other = OneAnswer(lambda request: web.Response(body=PNG))

        def answer(request: web.Request) -> web.Response:
            match request.path:
                case "/away":
                    return web.Response(status=302, headers={"Location": f"{elsewhere}/a.png"})
                case "/here":
                    return web.Response(status=302, headers={"Location": "/files/a.png"})
                case "/round":
                    return web.Response(status=302, headers={"Location": "/round"})
                case _:
                    return web.Response(body=PNG)

        async with other as elsewhere, OneAnswer(answer) as url:
            await self.fetch(url, "/here", tmp_path / "out")
            for address in ("/away", "/round"):
                with pytest.raises(BackendFailed):
                    await self.fetch(url, address, tmp_path / "out2")
        assert other.seen == []
        assert (tmp_path / "out").read_bytes() == PNG

    @pytest.mark.parametrize("told", [True, False])
    async def test_a_file_that_is_too_large_is_given_up_and_leaves_nothing(self, tmp_path: Path, told: bool) -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            if told:
                return web.Response(body=b"x" * 2000)
            response = web.StreamResponse()
            response.enable_chunked_encoding()
            await response.prepare(request)
            await response.write(b"x" * 2000)
            return response

        async with OneAnswer(answer) as url:
            with pytest.raises(BackendFailed) as caught:
                await self.fetch(url, "/files/a.png", tmp_path / "out", 1000)
        assert (caught.value.code, caught.value.may_retry) == ("file_too_large", False)
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize(("status", "again"), [(403, False), (404, False), (500, True), (503, True), (429, True)])
    async def test_what_may_pass_may_be_tried_again(self, tmp_path: Path, status: int, again: bool) -> None:
        async with OneAnswer(lambda request: web.Response(status=status)) as url:
            with pytest.raises(BackendError) as caught:
                await self.fetch(url, "/files/a.png", tmp_path / "out")
        assert caught.value.may_retry is again

    async def test_a_page_instead_of_a_file_is_no_file(self, tmp_path: Path) -> None:
        async with OneAnswer(lambda request: web.Response(text="sign in", content_type="text/html")) as url:
            with pytest.raises(BackendFailed) as caught:
                await self.fetch(url, "/files/a.png", tmp_path / "out")
        assert caught.value.code == "not_a_file"

    async def test_a_server_that_stalls_is_given_up(self, tmp_path: Path) -> None:
        async def stall(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Length": "500"})
            await response.prepare(request)
            await response.write(b"x")
            transport = request.transport
            while transport is not None and not transport.is_closing():
                await SystemClock().sleep(0.01)
            return response

        async with OneAnswer(stall) as url:
            with pytest.raises(BackendTimeout):
                await self.fetch(url, "/files/a.png", tmp_path / "out", dify_file_timeout=0.2)
        assert not (tmp_path / "out").exists()

    async def test_a_connection_that_breaks_is_no_file(self, tmp_path: Path) -> None:
        async def cut(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Length": "500"})
            await response.prepare(request)
            await response.write(b"x")
            assert request.transport is not None
            request.transport.close()
            return response

        async with OneAnswer(cut) as url:
            with pytest.raises(BackendError) as caught:
                await self.fetch(url, "/files/a.png", tmp_path / "out")
        assert not isinstance(caught.value, BackendCut)
        assert caught.value.may_retry
        assert not (tmp_path / "out").exists()


async def test_a_host_that_the_operator_has_named_is_fetched_from_where_it_is_public(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    port = free_port()
    address = f"http://cdn.example.com:{port}/a.png"

    async def resolve(*_: object, **__: object) -> list[ResolveResult]:
        return [ResolveResult(hostname="x", host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0)]

    async def give(request: web.Request) -> web.Response:
        asked.append((request.host, request.headers.get("Authorization")))
        return web.Response(body=PNG, content_type="image/png")

    monkeypatch.setattr(aiohttp.ThreadedResolver, "resolve", resolve)
    monkeypatch.setattr(aiohttp.DefaultResolver, "resolve", resolve)
    asked: list[tuple[str, str | None]] = []
    app = web.Application()
    app.router.add_get("/a.png", give)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    named = make_backend("https://dify.example.com/v1", dify_file_hosts=f"cdn.example.com:{port}")
    unnamed = make_backend("https://dify.example.com/v1", dify_file_hosts="cdn.example.com, other.example.com")
    file = ProducedFile(name="a.png", kind="image", address=address)

    with pytest.raises(BackendError, match="no public address"):
        await named.fetch(file, tmp_path / "a", 1000)
    with pytest.raises(BackendError, match="not from the configured server"):
        await unnamed.fetch(file, tmp_path / "a", 1000)
    assert asked == []
    monkeypatch.setattr(outside, "is_public", lambda address: True)
    assert await named.fetch(file, tmp_path / "a", 1000) == "image/png"
    await named.close()
    await unnamed.close()
    await runner.cleanup()

    assert (tmp_path / "a").read_bytes() == PNG
    assert asked == [(f"cdn.example.com:{port}", None)]
