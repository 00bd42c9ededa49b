"""Recordings become text: each is sent as what it is, and one that cannot be listened to is refused in a sentence for people."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from bridge.backends.dify import hearing
from bridge.backends.dify.backend import DifyBackend
from bridge.backends.dify.sounds import recognise
from bridge.clock import SystemClock
from bridge.errors import (
    BackendBusy,
    BackendError,
    BackendFailed,
    BackendMisconfigured,
    BackendTimeout,
    QuestionRefused,
)
from bridge.messages import BackendUser
from bridge.playground.dify import DifyServer, Recording, everything_on
from tests.backends.dify.asking import make_backend
from tests.backends.dify.test_files import OneAnswer

ME = BackendUser("thread-1")
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt "
MP3 = b"ID3\x04\x00\x00\x00\x00\x00\x00"
M4A = b"\x00\x00\x00\x1cftypM4A \x00\x00"
OGG = b"OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00OpusHead"
WEBM = b"\x1aE\xdf\xa3\x9fB\x86\x81\x01"
AMR = b"#!AMR\n\x0c"


@pytest.mark.parametrize(
    ("content", "media_type", "name", "sent"),
    [
        (WAV, "audio/x-wav", "a.wav", "audio/wav"),
        (MP3, "audio/mpeg", "a.mp3", "audio/mp3"),
        (b"\xff\xfb\x90\x64", "", "", "audio/mp3"),
        (b"\xff\xf1\x50\x80", "audio/mp3", "a.mp3", "audio/aac"),
        (M4A, "audio/mp4", "clip.mp4", "audio/m4a"),
        (AMR, "application/octet-stream", "a.amr", "audio/amr"),
        (WEBM, "audio/webm;codecs=opus", "a.webm", "audio/webm"),
        (OGG, "audio/ogg", "voice-message.ogg", "audio/ogg"),
        (OGG, "audio/mp3", "renamed.mp3", "audio/ogg"),
        (b"fLaC\x00", "audio/wav", "a.wav", "audio/flac"),
        (b"nothing known", "audio/mpeg", "a", "audio/mp3"),
        (b"nothing known", "Audio/X-M4A; x=y", "a", "audio/m4a"),
        (b"nothing known", "", "A.MP3", "audio/mp3"),
        (b"nothing known", "application/octet-stream", "a.opus", "audio/ogg"),
        (b"nothing known", "audio/x-nobody-knows", "a.mp3", ""),
        (b"%PDF-1.7", "application/pdf", "a.pdf", ""),
        (M4A, "video/mp4", "film.mp4", ""),
        (b"\xff\xfeT\x00e\x00", "text/plain", "a.txt", ""),
        (b"", "", "", ""),
    ],
)
def test_a_recording_is_called_what_its_bytes_say_in_difys_spelling(
    content: bytes, media_type: str, name: str, sent: str
) -> None:
    sound = recognise(content, media_type, name)
    assert (sound.media_type if sound else "") == sent


class TestAtTheStandIn:
    @pytest.fixture(params=[("chat", "1.12.1")], ids=lambda param: param[1])
    async def server(self, request: pytest.FixtureRequest) -> AsyncIterator[DifyServer]:
        mode, version = request.param
        server = DifyServer(SystemClock(), mode=mode, version=version)
        server.features = everything_on()
        server.features.hear_seconds = 0
        await server.start()
        yield server
        await server.stop()

    @pytest.fixture
    async def backend(self, server: DifyServer) -> AsyncIterator[DifyBackend]:
        backend = make_backend(server.base_url, dify_api_key=server.api_key, dify_parameters_age=0, dify_file_timeout=1)
        yield backend
        await backend.close()

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "recording"

    @pytest.mark.parametrize("server", [("chat", "0.15.3"), ("advanced-chat", "1.12.1")], indirect=True)
    @pytest.mark.parametrize(
        ("content", "told"), [(WAV, "audio/x-wav"), (MP3, "audio/mpeg"), (M4A, "audio/mp4"), (AMR, "")]
    )
    async def test_what_every_dify_takes_is_understood(
        self, server: DifyServer, backend: DifyBackend, path: Path, content: bytes, told: str
    ) -> None:
        server.features.heard = " When are my holidays? "
        path.write_bytes(content)
        sound = recognise(content, "", "")
        assert sound

        assert await backend.transcribes()
        assert await backend.transcribe(path, "Ünï.xyz", told, ME) == "When are my holidays?"

        name = f"recording.{sound.extension}"
        heard = Recording(
            user=ME, name=name, media_type=sound.media_type, content=content, text=" When are my holidays? "
        )
        assert server.recordings == [heard]

    async def test_a_kind_that_dify_does_not_take_is_named(
        self, server: DifyServer, backend: DifyBackend, path: Path
    ) -> None:
        for content, name in ((OGG, "Ogg"), (WEBM, "WebM")):
            path.write_bytes(content)
            with pytest.raises(QuestionRefused) as caught:
                await backend.transcribe(path, "voice-message.ogg", "audio/ogg", ME)
            assert caught.value.code == "unsupported_audio_type"
            assert (
                caught.value.user_message
                == f"The app cannot listen to {name} recordings, only to MP3, M4A, WAV or AMR."
            )
        assert server.recordings == []

    @pytest.mark.parametrize("server", [("chat", "0.15.3")], indirect=True)
    async def test_a_dify_that_takes_more_kinds_is_given_them(
        self, server: DifyServer, backend: DifyBackend, path: Path
    ) -> None:
        path.write_bytes(WEBM)
        assert await backend.transcribe(path, "a.webm", "audio/webm", ME) == "What can you do? help"

    async def test_a_recording_that_cannot_be_one_is_not_sent(
        self, server: DifyServer, backend: DifyBackend, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(hearing, "MOST_BYTES", 20)
        for content, words in (
            (b"", "The recording is empty."),
            (WAV + b"x" * 20, "The recording is larger than the app can listen to."),
            (b"%PDF", "The app cannot listen to this kind of recording, only to MP3, M4A, WAV or AMR."),
        ):
            path.write_bytes(content)
            with pytest.raises(QuestionRefused) as caught:
                await backend.transcribe(path, "a.bin", "", ME)
            assert caught.value.user_message == words
        assert server.recordings == []

    async def test_difys_own_limit_is_said_in_a_sentence(
        self, server: DifyServer, backend: DifyBackend, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(hearing, "MOST_BYTES", 100 * 1024 * 1024)
        with path.open("wb") as out:
            out.write(WAV)
            out.truncate(30 * 1024 * 1024 + 1)
        with pytest.raises(QuestionRefused) as caught:
            await backend.transcribe(path, "a.wav", "audio/wav", ME)
        assert caught.value.code == "audio_too_large"
        assert caught.value.user_message == "The recording is larger than the app can listen to."

    @pytest.mark.parametrize("server", [("chat", "0.15.3"), ("chat", "1.12.1")], indirect=True)
    async def test_an_app_that_does_not_listen_or_has_no_model_for_it_says_so(
        self, server: DifyServer, backend: DifyBackend, path: Path
    ) -> None:
        path.write_bytes(WAV)
        server.features.speech_model = False
        with pytest.raises(BackendMisconfigured) as caught:
            await backend.transcribe(path, "a.wav", "audio/wav", ME)
        assert "has no model that listens" in caught.value.user_message
        assert "speech-to-text model in Dify" in caught.value.fix
        server.features.hears = False
        assert not await backend.transcribes()
        with pytest.raises(QuestionRefused) as refused:
            await backend.transcribe(path, "a.wav", "audio/wav", ME)
        assert (refused.value.code, refused.value.user_message) == (
            "speech_to_text_disabled",
            "The app does not listen to recordings.",
        )

    async def test_a_model_that_listens_for_too_long_is_not_waited_for_and_may_be_asked_again(
        self, server: DifyServer, backend: DifyBackend, path: Path
    ) -> None:
        server.features.hear_seconds = 60
        path.write_bytes(WAV)
        async with asyncio.timeout(8):
            with pytest.raises(BackendTimeout) as caught:
                await backend.transcribe(path, "a.wav", "audio/wav", ME)
        assert caught.value.may_retry

    async def test_check_tells_whether_the_app_listens(self, server: DifyServer, backend: DifyBackend) -> None:
        on = {finding.subject: finding.problem for finding in await backend.check()}
        server.features.hears = False
        off = {finding.subject: finding.problem for finding in await backend.check()}

        assert "MP3, M4A, WAV or AMR" in on["Dify speech to text"]
        assert "switched off" in off["Dify speech to text"]


REFUSALS = [
    (413, "<html>nginx</html>", QuestionRefused, "larger than the app can listen to"),
    (413, {"code": "audio_too_large", "message": "Audio size larger than 30 mb"}, QuestionRefused, "larger than"),
    (
        400,
        {"code": "no_audio_uploaded", "message": "Please upload your audio."},
        QuestionRefused,
        "could not listen to this",
    ),
    (400, {"code": "invalid_param", "message": "Invalid data"}, QuestionRefused, "could not listen to this"),
    (
        400,
        {"code": "speech_to_text_disabled", "message": "Speech to text is disabled."},
        QuestionRefused,
        "does not listen",
    ),
    (
        400,
        {"code": "provider_not_support_speech_to_text", "message": "x"},
        BackendMisconfigured,
        "no model that listens",
    ),
    (400, {"code": "model_currently_not_support", "message": "x"}, BackendMisconfigured, "no model that listens"),
    (400, {"code": "provider_quota_exceeded", "message": "x"}, BackendMisconfigured, "quota"),
    (400, {"code": "app_unavailable", "message": "x"}, BackendMisconfigured, "not ready"),
    (400, {"code": "completion_request_error", "message": "x"}, BackendFailed, "model for speech failed"),
    (400, {"code": "completion_request_error", "message": "status code 429"}, BackendFailed, "too much to do"),
    (401, {"code": "unauthorized", "message": "x"}, BackendMisconfigured, "does not let this bot in"),
    (429, {"code": "too_many_requests", "message": "x"}, BackendBusy, "too many questions"),
    (500, {"code": "internal_server_error", "message": "x"}, BackendFailed, "problem of its own"),
    (200, {"text": None}, BackendFailed, "model for speech failed"),
    (200, "<html>Sign in</html>", BackendFailed, "model for speech failed"),
]


@pytest.mark.parametrize(("status", "body", "error", "words"), REFUSALS)
async def test_every_refusal_of_a_recording_has_its_sentence(
    tmp_path: Path, status: int, body: object, error: type[BackendError], words: str
) -> None:
    async def refuse(request: web.Request) -> web.Response:
        await request.read()
        if isinstance(body, str):
            return web.Response(text=body, status=status, content_type="text/html")
        return web.json_response(body, status=status)

    (tmp_path / "in").write_bytes(WAV)
    async with OneAnswer(refuse) as url:
        backend = make_backend(url + "/v1")
        with pytest.raises(error) as caught:
            await backend.transcribe(tmp_path / "in", "a.wav", "audio/wav", ME)
        await backend.close()

    assert words in caught.value.user_message
    assert caught.value.may_retry is (error in (BackendFailed, BackendBusy))


async def test_what_was_said_in_an_hour_arrives_whole(tmp_path: Path) -> None:
    said = "日本語です。" * 10_000
    (tmp_path / "in").write_bytes(MP3)
    async with OneAnswer(lambda request: web.json_response({"text": said})) as url:
        backend = make_backend(url + "/v1")
        heard = await backend.transcribe(tmp_path / "in", "a.mp3", "audio/mpeg", ME)
        await backend.close()
    assert heard == said
