"""Reads a Dockerfile as far as our tests need it: stages, and instructions with their continuation lines joined."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Stage:
    image: str
    name: str = ""
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def all(self, keyword: str) -> list[str]:
        return [text for word, text in self.instructions if word == keyword]

    def last(self, keyword: str) -> str:
        return self.all(keyword)[-1]


def read(path: Path) -> tuple[dict[str, str], list[Stage]]:
    """The arguments before the first stage, and the stages with those arguments filled in."""
    arguments: dict[str, str] = {}
    stages: list[Stage] = []
    pending = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        pending += line.strip()
        if pending.endswith("\\"):
            pending = pending[:-1]
            continue
        keyword, _, text = pending.partition(" ")
        pending = ""
        match keyword:
            case "FROM":
                image, _, name = text.partition(" AS ")
                for key, value in arguments.items():
                    image = image.replace(f"${{{key}}}", value)
                stages.append(Stage(image, name))
            case "ARG" if not stages:
                key, _, value = text.partition("=")
                arguments[key] = value
            case _:
                stages[-1].instructions.append((keyword, text))
    return arguments, stages
