"""Windows: every token is read, no window is longer than the context."""

from __future__ import annotations

import numpy as np
import pytest

from llmaas_server.errors import Problem
from llmaas_server.tasks.text.windows import read
from support.fake_runtime import END, START, CharacterTokenizer


def test_every_token_is_in_one_window() -> None:
    texts = ["short", "x" * 8 + "y" * 9, ""]
    windows = read(texts, CharacterTokenizer(), context=10)
    assert all(ids[0] == START and ids[-1] == END for ids in windows.sequences)
    assert all(len(ids) <= 10 for ids in windows.sequences)
    for index, text in enumerate(texts):
        owned = [
            ids[1:-1]
            for ids, owner in zip(windows.sequences, windows.owners, strict=True)
            if owner == index
        ]
        assert "".join(chr(id) for ids in owned for id in ids) == text
    assert list(windows.owners) == [0, 1, 1, 1, 2]


def test_vectors_are_averaged_by_length() -> None:
    windows = read(["a" * 8 + "b" * 3, "c"], CharacterTokenizer(), context=8)
    first, second = len(windows.sequences[0]), len(windows.sequences[1])
    vectors = np.eye(3, dtype=np.float32)
    pooled = windows.pool(vectors)
    expected = np.array([first, second, 0]) / np.hypot(first, second)
    assert pooled[0] == pytest.approx(expected)
    assert pooled[1] == pytest.approx([0, 0, 1])


def test_a_context_without_room_is_an_error() -> None:
    with pytest.raises(Problem, match="no room") as caught:
        read(["a"], CharacterTokenizer(), context=2)
    assert caught.value.code == "model_broken"
