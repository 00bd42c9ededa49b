"""Files at the stand-in Dify: taking them, checking them when a question names them, and giving out those that were made."""

import uuid
from collections.abc import Sequence

import aiohttp
from aiohttp import web

from bridge.playground.dify.kept_files import MadeFile, Upload
from bridge.playground.dify.state import DifyState
from bridge.playground.dify.wire import Json, Refused, not_found_page

DEFAULT_USER = "DEFAULT-USER"
_FORBIDDEN = frozenset('/\\:*?"<>|')
_METHODS = ("local_file", "remote_url", "tool_file")


async def upload(state: DifyState, request: web.Request) -> web.Response:
    """Takes anything up to the size that its extension allows: whether the app wants it shows when a question names it."""
    fields, files = await read_form(request)
    if len(files) > 1:
        raise state.dialect.refuse(400, "too_many_files", "Only one file is allowed.")
    if not files:
        if state.dialect.is_old:
            raise refuse_missing_part(state)
        raise state.dialect.refuse(400, "no_file_uploaded", "Please upload your file.")
    name, media_type, content = files[0]
    if not media_type:
        raise state.dialect.refuse(415, "unsupported_file_type", "File type not allowed.")
    if not name:
        raise state.dialect.refuse(400, "filename_not_exists_error", "The specified filename does not exist.")
    if _FORBIDDEN & set(name):
        raise state.dialect.refuse_param("Filename contains invalid characters")
    extension = name.rsplit(".", 1)[-1].lower() if "." in name else ""
    if len(content) > state.features.limit_of(extension):
        raise state.dialect.refuse(413, "file_too_large", "File size exceeded. {message}")
    kept = Upload(
        id=str(uuid.uuid4()),
        user=fields.get("user") or DEFAULT_USER,
        name=name[:200],
        extension=extension,
        media_type=media_type,
        content=content,
        created_at=state.wall_seconds(),
    )
    state.uploads[kept.id] = kept
    state.changed()
    return state.dialect.reply(kept.as_reply(state.address_of(kept.path), is_old=state.dialect.is_old), 201)


async def download(state: DifyState, request: web.Request) -> web.Response:
    """A file by its signed address, without the key. No name is told with it (recorded)."""
    if missing := next((name for name in ("timestamp", "nonce", "sign") if name not in request.query), None):
        message = "Missing required parameter in the query string"
        return state.dialect.reply({"code": "invalid_param", "message": message, "params": missing}, 400)
    if not state.signer.is_good(request.path, request.query, state.wall_seconds()):
        raise state.dialect.refuse(403, "forbidden", "Invalid request.")
    file: MadeFile | Upload | None = state.made.get(request.path)
    if file is None:
        file = next((one for one in state.uploads.values() if one.path == request.path), None)
    if file is None:
        return not_found_page()
    state.downloads.append(request.path)
    state.changed()
    return web.Response(body=file.content, headers={"Content-Type": file.media_type})


def read_given(state: DifyState, body: Json, user: str) -> Sequence[tuple[Upload, str]]:
    """The files that a question names, and as what. Without uploads in the app they are dropped, and nobody is told."""
    told = body.get("files")
    if not isinstance(told, list) or not state.features.uploads:
        return ()
    given = [_find(state, entry, user) for entry in told if isinstance(entry, dict) and entry.get("transfer_method")]
    if len(given) > state.features.most_files:
        raise state.dialect.refuse_param(f"Number of files exceeds the maximum limit {state.features.most_files}")
    return given


def read_inputs(state: DifyState, body: Json, user: str) -> Sequence[tuple[Upload, str]]:
    """The files that stand among the inputs, and as what. In the words of Dify's `base_app_generator`."""
    told = body.get("inputs")
    inputs = told if isinstance(told, dict) else {}
    found: list[tuple[Upload, str]] = []
    for one in state.features.file_inputs:
        value = inputs.get(one.name)
        if value is None and not one.required:
            continue
        if value is None:
            raise state.dialect.refuse_param(f"{one.name} is required in input form")
        if not isinstance(value, list if one.most else dict):
            kind = "a list of files" if one.most else "a file"
            raise state.dialect.refuse_param(f"{one.name} in input form must be {kind}")
        entries = value if isinstance(value, list) else [value]
        if one.most and len(entries) > one.most:
            raise state.dialect.refuse_param(f"{one.name} in input form must be less than {one.most} files")
        found += [_find_for(state, entry, user, one.kinds) for entry in entries]
    return found


def _find_for(state: DifyState, entry: object, user: str, kinds: Sequence[str]) -> tuple[Upload, str]:
    if not isinstance(entry, dict):
        raise state.dialect.refuse_param("Invalid upload file")
    kept, kind = _take(state, entry, user)
    if kind not in kinds:
        raise state.dialect.refuse_param(f"File validation failed for file: {kept.name}")
    return kept, kind


def _find(state: DifyState, entry: Json, user: str) -> tuple[Upload, str]:
    kept, kind = _take(state, entry, user)
    features = state.features
    kinds = ["image"] if features.only_images else features.kinds
    custom = kind == "custom" and f".{kept.extension}" in features.extensions
    if not (custom or (kind != "custom" and (not kinds or kind in kinds))):
        raise state.dialect.refuse_param(f"File validation failed for file: {kept.name}")
    return kept, kind


def _take(state: DifyState, entry: Json, user: str) -> tuple[Upload, str]:
    method = entry.get("transfer_method")
    if method not in _METHODS:
        raise state.dialect.refuse_param(f"No matching enum found for value '{method}'")
    kept = state.uploads.get(str(entry.get("upload_file_id"))) if method == "local_file" else None
    # Measured versions check the workspace alone; documented ones the user too, and nobody may rely on less.
    if kept is None or kept.user != user:
        raise state.dialect.refuse_param("Invalid upload file")
    return kept, str(entry.get("type") or "custom")


def refuse_missing_part(state: DifyState) -> Refused:
    """What flask says when nobody looked whether the part was there."""
    message = "The browser (or proxy) sent a request that this server could not understand."
    return state.dialect.refuse(400, "bad_request_key_error", message)


async def read_form(request: web.Request) -> tuple[dict[str, str], list[tuple[str, str, bytes]]]:
    """The plain fields, and each file as its name, its media type and its content."""
    fields: dict[str, str] = {}
    files: list[tuple[str, str, bytes]] = []
    if request.content_type != "multipart/form-data":
        return fields, files
    async for part in await request.multipart():
        if not isinstance(part, aiohttp.BodyPartReader):
            continue
        content = bytes(await part.read())
        if part.name == "file":
            files.append((part.filename or "", part.headers.get("Content-Type", ""), content))
        elif part.name:
            fields[part.name] = content.decode()
    return fields, files
