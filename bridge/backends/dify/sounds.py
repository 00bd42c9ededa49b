"""What a recording is, and how Dify spells that: it goes by the media type alone, and knows each kind by one spelling only.

The bytes are asked first: what platforms say of a recording is often wrong or missing, and Dify passes it on to a model.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType

ENOUGH = 16
"""Bytes at the beginning that `recognise` looks at."""

TAKEN = "MP3, M4A, WAV or AMR"
"""What every Dify takes. Those before 1.3 took WebM besides; none is known to take Ogg."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    name: str
    """For people."""
    media_type: str
    """As Dify spells it where it takes it ("audio/mpeg" it refuses since 1.3), else as everybody does."""
    extension: str


MP3 = Sound(name="MP3", media_type="audio/mp3", extension="mp3")
M4A = Sound(name="M4A", media_type="audio/m4a", extension="m4a")
WAV = Sound(name="WAV", media_type="audio/wav", extension="wav")
AMR = Sound(name="AMR", media_type="audio/amr", extension="amr")
WEBM = Sound(name="WebM", media_type="audio/webm", extension="webm")
OGG = Sound(name="Ogg", media_type="audio/ogg", extension="ogg")
FLAC = Sound(name="FLAC", media_type="audio/flac", extension="flac")
AAC = Sound(name="AAC", media_type="audio/aac", extension="aac")
CAF = Sound(name="CAF", media_type="audio/x-caf", extension="caf")

_BY_BEGINNING: Mapping[bytes, Sound] = MappingProxyType(
    {
        b"OggS": OGG,
        b"ID3": MP3,
        b"#!AMR\n": AMR,
        b"\x1aE\xdf\xa3": WEBM,
        b"fLaC": FLAC,
        b"caff": CAF,
    }
)
_BY_WORD: Mapping[str, Sound] = MappingProxyType(
    {
        **{sound.extension: sound for sound in (MP3, M4A, WAV, AMR, WEBM, OGG, FLAC, AAC, CAF)},
        **dict.fromkeys(("mpeg", "mpga", "x-mp3", "x-mpeg"), MP3),
        **dict.fromkeys(("mp4", "x-m4a", "mp4a-latm"), M4A),
        **dict.fromkeys(("wave", "x-wav", "vnd.wave"), WAV),
        **dict.fromkeys(("oga", "opus", "vorbis", "x-ogg"), OGG),
        **dict.fromkeys(("x-aac", "aacp"), AAC),
        "x-flac": FLAC,
        "x-caf": CAF,
    }
)
"""Last parts of media types, and extensions."""


def recognise(beginning: bytes, media_type: str, name: str) -> Sound | None:
    """The kind of a recording by its first `ENOUGH` bytes, else by what is said of it; None for what is no recording at all."""
    main, _, sub = media_type.partition(";")[0].strip().lower().partition("/")
    if main == "video":
        return None
    return _look_at(beginning) or (
        _BY_WORD.get(sub) if main == "audio" else _BY_WORD.get(PurePosixPath(name).suffix.lower().lstrip("."))
    )


def _look_at(beginning: bytes) -> Sound | None:
    for start, sound in _BY_BEGINNING.items():
        if beginning.startswith(start):
            return sound
    if beginning[:4] in (b"RIFF", b"RF64") and beginning[8:12] == b"WAVE":
        return WAV
    if beginning[4:8] == b"ftyp":
        return M4A
    if len(beginning) > 1 and beginning[0] == 0xFF and beginning[1] & 0xE0 == 0xE0:
        # A frame of MPEG audio, or what AAC has in its place. Two bits say which layer: nobody records in the first one.
        return {0x00: AAC, 0x02: MP3, 0x04: MP3}.get(beginning[1] & 0x06)
    return None
