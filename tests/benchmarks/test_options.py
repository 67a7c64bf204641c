from __future__ import annotations

from pathlib import Path

from benchmarks.options import parse


def test_commands_are_shown_without_the_folders_of_a_machine() -> None:
    words = ["--quick", "--gguf", "Q8_0=/models/q8.gguf", "--cache=/cache", "--rounds", "3"]
    options = parse("serve", "Doc.", words)
    assert options.command == "python -m benchmarks.serve --quick --rounds 3 PLACES"
    assert options.gguf == {"Q8_0": Path("/models/q8.gguf")}
    assert options.cache == Path("/cache")
    assert options.rounds == 3
    assert parse("serve", "Doc.", []).command == "python -m benchmarks.serve"
