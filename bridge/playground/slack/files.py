"""How a file is spelled on the wire. Pure."""

from bridge.playground.slack.model import File, JsonObject


def wire_file(file: File, *, known: bool = False) -> JsonObject:
    """As events and messages have it; `known`: as files.info has it, which tells of another company's file too."""
    if file.file_access == "check_file_info" and not known:
        # Docs of file objects (Slack Connect): nothing to rest on but the id and the access; the rest is asked for.
        return {"id": file.id, "file_access": "check_file_info"}
    if file.mode in ("tombstone", "hidden_by_limit"):
        return {"id": file.id, "mode": file.mode}
    wire: JsonObject = {
        "id": file.id,
        "name": file.name,
        "title": file.title or file.name,
        "mimetype": file.mimetype,
        "filetype": file.name.rpartition(".")[2],
        "size": file.size,
        "mode": file.mode,
        "is_external": file.mode == "external",
        "external_type": "gdrive" if file.mode == "external" else "",
        "file_access": "visible",
    }
    if file.url_private:
        wire["url_private"] = file.url_private
        if file.mode == "hosted":
            wire["url_private_download"] = _download_address(file.url_private)
    return wire


def _download_address(url_private: str) -> str:
    head, _, name = url_private.rpartition("/")
    return f"{head}/download/{name}"
