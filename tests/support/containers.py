"""A Dockerfile as data: its instructions, and the commands in them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Instruction:
    name: str
    text: str

    @property
    def words(self) -> list[str]:
        """Of the form that is a list."""
        found: list[str] = json.loads(self.text)
        return found


def read_dockerfile(path: Path) -> list[list[Instruction]]:
    """The instructions of each stage, in order."""
    stages: list[list[Instruction]] = []
    for instruction in _instructions(path.read_text("utf-8")):
        if instruction.name == "FROM":
            stages.append([])
        stages[-1].append(instruction)
    return stages


def _instructions(text: str) -> Iterator[Instruction]:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        name, _, rest = line.partition(" ")
        yield Instruction(name, rest.strip())


def named(stage: list[Instruction], name: str) -> list[Instruction]:
    return [one for one in stage if one.name == name]


def environment(stage: list[Instruction]) -> dict[str, str]:
    """What ENV sets."""
    return {
        name: value
        for one in named(stage, "ENV")
        for name, value in re.findall(r"(\w+)=(\S+)", one.text)
    }
