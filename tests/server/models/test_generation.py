"""How a model samples where nobody says otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llmaas_server.errors import Problem
from llmaas_server.models.generation import Defaults, defaults_of, read_json
from llmaas_server.seam.values import ModelKind


@pytest.mark.parametrize(
    ("kind", "stated", "temperature"),
    [
        ("decoder", {}, 0.7),
        ("decoder", {"temperature": None}, 0.7),
        ("decoder", {"temperature": 0}, 0.0),
        ("seq2seq", {"temperature": 0.9}, 0.0),
        ("seq2seq", {"temperature": 0.9, "do_sample": True}, 0.9),
    ],
)
def test_the_temperature(kind: ModelKind, stated: dict[str, Any], temperature: float) -> None:
    assert defaults_of(kind, stated).temperature == temperature


def test_what_a_file_states() -> None:
    stated = {"temperature": 0.2, "top_p": 0.9, "top_k": 40, "min_p": 0.1, "repetition_penalty": 2}
    assert defaults_of("decoder", stated) == Defaults(0.2, 0.9, 40, 0.1, 2.0)
    assert defaults_of("decoder", {"top_k": 0}).top_k is None  # transformers: all tokens


@pytest.mark.parametrize("wrong", ["warm", True, [1], float("inf"), float("nan")])
def test_what_is_no_number(wrong: object) -> None:
    with pytest.raises(Problem, match="top_k is") as raised:
        defaults_of("decoder", {"top_k": wrong})
    assert raised.value.code == "model_broken"


def test_no_file_states_nothing(tmp_path: Path) -> None:
    assert read_json(tmp_path / "generation_config.json") == {}


@pytest.mark.parametrize("content", ["", "{", "[1]", "[" * 100_000])
def test_a_file_that_is_no_object(tmp_path: Path, content: str) -> None:
    path = tmp_path / "generation_config.json"
    path.write_text(content)
    with pytest.raises(Problem, match="is not"):
        read_json(path)
