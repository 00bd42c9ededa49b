"""Which files an app takes, worked out of its parameters; and Dify's own table of extensions, kinds and sizes.

Dify decides by the file's extension, and refuses a whole question for one file of a wrong kind. An app without uploads drops
files without a word, which is worse: so nothing is handed over that the parameters do not allow.
"""

from collections.abc import Mapping
from types import MappingProxyType

from bridge.backend_api import FileRules
from bridge.remote.framing import Json, object_of

CUSTOM = "custom"
"""Dify's kind for everything that its own kinds leave out; allowed by extension."""

_MIB = 1024 * 1024

# constants/__init__.py of Dify 1.12; the documents are those that need no extra extractor.
EXTENSIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "image": ("jpg", "jpeg", "png", "webp", "gif", "svg"),
        "video": ("mp4", "mov", "mpeg", "webm"),
        "audio": ("mp3", "m4a", "wav", "amr", "mpga"),
        "document": (
            *("txt", "markdown", "md", "mdx", "pdf", "html", "htm"),
            *("xlsx", "xls", "docx", "csv", "vtt", "properties"),
        ),
    }
)

MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "image/jpeg": "jpg",
        "image/png": "png",
        "image/webp": "webp",
        "image/gif": "gif",
        "image/svg+xml": "svg",
        "video/mp4": "mp4",
        "video/quicktime": "mov",
        "video/mpeg": "mpeg",
        "video/webm": "webm",
        "audio/mpeg": "mp3",
        "audio/mp4": "m4a",
        "audio/x-m4a": "m4a",
        "audio/wav": "wav",
        "audio/x-wav": "wav",
        "audio/amr": "amr",
        "text/plain": "txt",
        "text/markdown": "md",
        "text/html": "html",
        "text/csv": "csv",
        "application/pdf": "pdf",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
        "application/vnd.ms-excel": "xls",
    }
)
"""Media type to the extension that Dify knows such files by."""

KIND_OF: Mapping[str, str] = MappingProxyType(
    {extension: kind for kind, extensions in EXTENSIONS.items() for extension in extensions}
)

# UPLOAD_..._SIZE_LIMIT of a Dify that nobody has changed, in MB; the setting's name in `system_parameters`.
_SIZES = {
    "image": ("image_file_size_limit", 10),
    "video": ("video_file_size_limit", 100),
    "audio": ("audio_file_size_limit", 50),
    "document": ("file_size_limit", 15),
    CUSTOM: ("file_size_limit", 15),
}

_DEFAULT_MOST = 3


def read_file_rules(upload: Json, system: Json) -> FileRules:
    """`file_upload` and `system_parameters` of the app's parameters, in any version's shape."""
    if not isinstance(upload.get("enabled"), bool):
        # The shape before files of every kind: images, in a block of their own.
        image = object_of(upload, "image")
        if image.get("enabled") is not True or not _takes_uploads(image.get("transfer_methods")):
            return FileRules()
        return _make_rules(("image",), (), _count(image.get("number_limits")), _sizes_of(upload, system))
    if upload["enabled"] is not True:
        return FileRules()
    return make_rules(
        upload.get("allowed_file_types"),
        upload.get("allowed_file_extensions"),
        upload.get("allowed_file_upload_methods"),
        _count(upload.get("number_limits")),
        _sizes_of(upload, system),
    )


def make_rules(types: object, extensions: object, methods: object, most: int, sizes: Json) -> FileRules:
    """From the lists by which an app says what it takes, wherever they stand."""
    if not _takes_uploads(methods):
        return FileRules()
    # No kinds at all are all kinds but the custom one.
    kinds = _words(types) or tuple(EXTENSIONS)
    return _make_rules(kinds, _words(extensions) if CUSTOM in kinds else (), most, sizes)


def _make_rules(kinds: tuple[str, ...], custom: tuple[str, ...], most: int, sizes: Json) -> FileRules:
    taken = {extension.lstrip("."): CUSTOM for extension in custom if extension.strip(".")}
    taken |= {extension: kind for extension, kind in KIND_OF.items() if kind in kinds}
    largest: dict[str, int] = {}
    for kind in dict.fromkeys(taken.values()):
        name, default = _SIZES[kind]
        size = sizes.get(name)
        largest[kind] = int((size if isinstance(size, int | float) and size > 0 else default) * _MIB)
    # By media type only what Dify has a kind for: a custom file is known by its extension alone.
    by_type = {kind: KIND_OF[extension] for kind, extension in MEDIA_TYPES.items() if KIND_OF[extension] in kinds}
    return FileRules(most=most if taken else 0, largest=largest, kinds=taken, media_types=by_type)


def _takes_uploads(methods: object) -> bool:
    """An empty list allows every way; the other one is an address that Dify fetches, which is of no use here."""
    return not isinstance(methods, list) or not methods or "local_file" in methods


def _sizes_of(upload: Json, system: Json) -> Json:
    """Workflow apps repeat the server's limits in their own block, and some servers give them only there."""
    return {**object_of(upload, "fileUploadConfig"), **system}


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else _DEFAULT_MOST


def _words(value: object) -> tuple[str, ...]:
    return tuple(word.strip().lower() for word in value if isinstance(word, str)) if isinstance(value, list) else ()
