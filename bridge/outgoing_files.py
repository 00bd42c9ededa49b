"""A file as the core wants it attached, and the only name of it that may reach a platform. Values only, no I/O."""

import re
import unicodedata
from dataclasses import dataclass

LONGEST_FILE_NAME = 100
"""Characters of `OutgoingFile.plain_name`. Ours: both platforms take more, and cut what is longer where people see it."""
_LONGEST_SUFFIX = 10

# What mentions, links and paths are made of, and what some file system refuses. White space becomes a space before.
_NOT_IN_NAMES = re.compile(r"""[<>@#&|:"'`*?%\\/~$!\[\](){}^]""")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingFile:
    """A file as the core wants it attached. All of it is in memory."""

    name: str
    """What it should be called, whoever chose that. Only `plain_name` may reach a platform."""
    content: bytes
    """Not empty."""
    media_type: str

    @property
    def plain_name(self) -> str:
        """The name as one line of at most `LONGEST_FILE_NAME` characters, without a path, controls or invisible characters, and
        without anything that a platform could take for a mention or a link. Its suffix is kept where it has one."""
        spaced = (" " if letter.isspace() else letter for letter in self.name)
        seen = "".join(letter for letter in spaced if not unicodedata.category(letter).startswith("C"))
        # There are wide spellings of "@" and "/" too; the compatibility form knows one of each.
        last = re.split(r"[/\\]", unicodedata.normalize("NFKC", seen))[-1]
        stem, dot, suffix = _NOT_IN_NAMES.sub("_", " ".join(last.split())).strip(" .").rpartition(".")
        if not stem or len(suffix) > _LONGEST_SUFFIX:
            stem, dot, suffix = stem + dot + suffix, "", ""
        room = LONGEST_FILE_NAME - len(dot + suffix)
        return (stem[:room].rstrip(" .") or "file") + dot + suffix
