"""Every benchmark, one after the other; the rows go to standard output, or to --output."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module

from .figures import note, publish
from .options import parse, shown

NAMES = (
    "serve",
    "prefill",
    "encode",
    "startup",
    "mixed",
    "grammar",
    "guesses",
    "quality",
    "summaries",
    "grounding",
    "written",
    "book",
)


def main() -> None:
    options = parse("run", __doc__)
    for name in NAMES:
        note(f"== {name}")
        module = import_module(f"benchmarks.{name}")
        command = options.command.replace(shown("run", []), shown(name, []), 1)
        own = replace(options, command=command)
        publish(own, module.measure(own))


if __name__ == "__main__":
    main()
