"""Recordings that Dify does not take are made MP3 of, where that library is installed; bounded, and away from the event loop."""

import array
import math
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bridge.backends.dify import hearing, transcoding
from bridge.backends.dify.backend import DifyBackend
from bridge.backends.dify.transcoding import NotTranscoded, can_transcode, transcode
from bridge.clock import SystemClock
from bridge.errors import QuestionRefused
from bridge.messages import BackendUser
from bridge.playground.dify import DifyServer
from tests.backends.dify.asking import make_backend

ME = BackendUser("thread-1")
MP3 = (b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")


@pytest.fixture
async def server() -> AsyncIterator[DifyServer]:
    server = DifyServer(SystemClock())
    server.features.hears = True
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def backend(server: DifyServer) -> AsyncIterator[DifyBackend]:
    backend = make_backend(server.base_url, dify_api_key=server.api_key)
    yield backend
    await backend.close()


def recording(folder: Path, seconds: float = 1.0) -> Path:
    """As Discord's recorder makes it: Opus in Ogg, 48,000 samples a second."""
    sound: Any = pytest.importorskip("soundfile", reason="the extra `voice` is not installed")
    tone = array.array("h", (int(8000 * math.sin(number / 17)) for number in range(int(48_000 * seconds))))
    path = folder / "voice-message.ogg"
    with sound.SoundFile(path, "w", samplerate=48_000, channels=1, format="OGG", subtype="OPUS") as made:
        made.buffer_write(tone.tobytes(), dtype="int16")
    return path


async def test_a_voice_message_of_discord_is_heard(server: DifyServer, backend: DifyBackend, tmp_path: Path) -> None:
    path = recording(tmp_path)
    assert await backend.transcribe(path, "voice-message.ogg", "audio/ogg", ME) == server.features.heard
    (heard,) = server.recordings
    assert (heard.name, heard.media_type) == ("recording.mp3", "audio/mp3")
    assert heard.content.startswith(MP3)
    assert [one.name for one in tmp_path.iterdir()] == ["voice-message.ogg"], "nothing is left lying about"


async def test_what_only_says_that_it_is_a_recording_goes_as_it_is_and_is_refused_in_a_sentence(
    server: DifyServer, backend: DifyBackend, tmp_path: Path
) -> None:
    path = tmp_path / "voice.ogg"
    path.write_bytes(b"OggS and nothing else that makes sense")
    with pytest.raises(QuestionRefused) as caught:
        await backend.transcribe(path, "voice.ogg", "audio/ogg", ME)
    assert "MP3" in caught.value.user_message
    assert server.recordings == []


async def test_a_recording_that_is_too_long_is_refused_before_it_is_all_read(
    backend: DifyBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = recording(tmp_path, 2.5)
    monkeypatch.setattr(transcoding, "LONGEST_SECONDS", 1)
    assert transcoding.main(str(path), str(tmp_path / "made.mp3")) == transcoding.TOO_LONG


async def test_time_that_is_up_ends_it(tmp_path: Path) -> None:
    path = recording(tmp_path)
    with pytest.raises(NotTranscoded):
        await transcode(path, tmp_path / "made.mp3", 0.001)


async def test_without_the_library_it_goes_as_it_is(
    backend: DifyBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "can_transcode", lambda: False)
    path = tmp_path / "voice.ogg"
    path.write_bytes(b"OggS voice")
    with pytest.raises(QuestionRefused) as caught:
        await backend.transcribe(path, "voice.ogg", "audio/ogg", ME)
    assert "Ogg" in caught.value.user_message


def test_whether_it_can_be_done_is_known_without_loading_anything() -> None:
    assert can_transcode() in (True, False)
