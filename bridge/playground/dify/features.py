"""What the app behind the stand-in Dify does besides text. All off, as in a new app; tests and the playground switch it on."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from bridge.playground.dify.wire import Json

KINDS = {
    "image": ("jpg", "jpeg", "png", "webp", "gif", "svg"),
    "video": ("mp4", "mov", "mpeg", "webm"),
    "audio": ("mp3", "m4a", "wav", "amr", "mpga"),
}
"""Extensions whose size limit is their own; everything else is measured as a document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileInput:
    """An input variable of the app that is a file, or several."""

    name: str
    kinds: tuple[str, ...] = ("document",)
    required: bool = True
    most: int = 0
    """0: one file; more: a list of as many."""

    def as_field(self) -> Json:
        told: Json = {
            "variable": self.name,
            "label": self.name.title(),
            "required": self.required,
            "allowed_file_types": list(self.kinds),
            "allowed_file_extensions": [],
            "allowed_file_upload_methods": ["local_file", "remote_url"],
        }
        return {"file-list": told | {"max_length": self.most}} if self.most else {"file": told}


@dataclass(slots=True, kw_only=True)
class Features:
    """Changed in place while the server runs."""

    opening: str = ""
    questions: list[str] = field(default_factory=list)
    """Shown with the opening."""
    suggests: bool = False
    """Questions after an answer."""
    suggest_seconds: float = 0.0
    """How long its model thinks about them."""
    cites: bool = False
    speaks: bool = False
    """Answers can be read aloud."""
    sound: bytes = b"ID3 a stand-in for a voice"
    """What its model says, whatever it is told."""
    hears: bool = False
    """Recordings become text."""
    heard: str = "What can you do? help"
    """What its model understands, whatever it is told: it listens to nothing."""
    hear_seconds: float = 0.0
    """How long its model listens."""
    speech_model: bool = True
    """Whether its workspace has a model for speech."""
    names: bool = True
    """Its model thinks of titles. When it fails at that, Dify says nothing of it and the old title stays."""
    name_seconds: float = 0.0
    """How long its model thinks of one."""
    longest_question: int = 4000
    """Characters of the input of a completion or workflow app that takes the question; as recorded."""
    asks_people: bool = False
    """A chatflow may wait for people: its Dify is 1.13 or newer."""
    uploads: bool = False
    only_images: bool = False
    """Uploads are told in the shape before files of every kind."""
    kinds: list[str] = field(default_factory=lambda: ["image", "document", "audio"])
    extensions: list[str] = field(default_factory=list)
    """With their dots; for the kind `custom`."""
    most_files: int = 3
    file_inputs: list[FileInput] = field(default_factory=list)
    image_mb: float = 10
    video_mb: float = 100
    audio_mb: float = 50
    other_mb: float = 15
    files_url: str = "own"
    """FILES_URL: "own" is the server's own address, "" is none (addresses are relative then), else what is told."""

    def limit_of(self, extension: str) -> int:
        """Bytes. The extension alone decides."""
        sizes = {"image": self.image_mb, "video": self.video_mb, "audio": self.audio_mb}
        kind = next((kind for kind, extensions in KINDS.items() if extension in extensions), "")
        return int(sizes.get(kind, self.other_mb) * 1024 * 1024)

    def as_parameters(self, required_inputs: Sequence[str], question: str = "") -> Json:
        """The body of `GET /parameters`. `question`: the input that a question goes into."""
        off = {"enabled": False}
        return {
            "opening_statement": self.opening,
            "suggested_questions": list(self.questions),
            "suggested_questions_after_answer": {"enabled": self.suggests},
            "speech_to_text": {"enabled": self.hears},
            "text_to_speech": {"enabled": True, "voice": "alloy", "language": "en-US"} if self.speaks else off,
            "retriever_resource": {"enabled": self.cites},
            "annotation_reply": off,
            "more_like_this": off,
            "user_input_form": [
                *([_paragraph(question, self.longest_question)] if question else []),
                *(_text_input(name) for name in required_inputs),
                *(one.as_field() for one in self.file_inputs),
            ],
            "sensitive_word_avoidance": off,
            "file_upload": self._uploads(),
            "system_parameters": {
                "image_file_size_limit": self.image_mb,
                "video_file_size_limit": self.video_mb,
                "audio_file_size_limit": self.audio_mb,
                "file_size_limit": self.other_mb,
                "workflow_file_upload_limit": 10,
            },
        }

    def _uploads(self) -> Json:
        methods = ["local_file", "remote_url"]
        image: Json = {
            "detail": "high",
            "enabled": self.uploads and (self.only_images or "image" in self.kinds),
            "number_limits": self.most_files,
            "transfer_methods": methods,
        }
        if self.only_images or not self.uploads:
            # An app that never had uploads is told like this too (recorded on both versions).
            return {"image": image}
        return {
            "allowed_file_extensions": list(self.extensions),
            "allowed_file_types": list(self.kinds),
            "allowed_file_upload_methods": methods,
            "enabled": True,
            "image": image,
            "number_limits": self.most_files,
        }

    def as_shown(self) -> Json:
        """For the page, without what only ears can make out."""
        return {name: value for name, value in asdict(self).items() if not isinstance(value, bytes)}

    def change(self, wanted: Json) -> None:
        """Sets fields by name. Raises `ValueError` before anything was changed."""
        known = asdict(self)
        for name, value in wanted.items():
            if name not in known:
                raise ValueError(f"unknown feature {name!r}; known are {', '.join(known)}")
            expected = (int, float) if isinstance(known[name], int | float) else type(known[name])
            if not isinstance(value, expected) or isinstance(value, bool) is not isinstance(known[name], bool):
                raise ValueError(f"{name} must be like {known[name]!r}")
        for name, value in wanted.items():
            setattr(self, name, value)


def everything_on() -> Features:
    """An app that shows all that an app can do."""
    return Features(
        opening="Hello! I am the playground's app. Ask me anything, or say **help** to see what I can do.",
        questions=["What can you do? help", "Show me a table", "Use tools, please", "Make a file for me"],
        suggests=True,
        suggest_seconds=0.4,
        cites=True,
        hears=True,
        hear_seconds=0.2,
        name_seconds=0.2,
        asks_people=True,
        uploads=True,
    )


def _paragraph(name: str, most: int) -> Json:
    return {
        "paragraph": {
            "label": name.title(),
            "variable": name,
            "required": True,
            "default": "",
            "max_length": most,
            "options": [],
            "type": "paragraph",
        }
    }


def _text_input(name: str) -> Json:
    return {"text-input": {"label": name.title(), "variable": name, "required": True, "default": "", "max_length": 48}}
