"""The folder that the database file stands in: made when it is missing, and named when it cannot be used."""

import os
from pathlib import Path

from bridge.errors import SettingsError
from bridge.storage.settings import Settings


def folder_trouble(settings: Settings) -> str:
    """One sentence with the setting and the fix when a database cannot be made there; empty when it can."""
    folder = settings.path.parent
    standing = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not standing.is_dir():
        return _tell(folder, f"{standing} is not a folder")
    if not os.access(standing, os.W_OK | os.X_OK):
        return _tell(folder, f"{standing} cannot be written by this user")
    return ""


def prepare_folder(settings: Settings) -> None:
    """Makes the folder that a database file needs. Raises `SettingsError`."""
    if settings.shared:
        return
    trouble = folder_trouble(settings)
    if trouble:
        raise SettingsError([trouble])
    try:
        settings.path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError([_tell(settings.path.parent, error.strerror or str(error))]) from error


def _tell(folder: Path, why: str) -> str:
    return (
        f"DATABASE_URL: the database cannot stand in the folder {folder}, because {why}; "
        "make it writable or name another place."
    )
