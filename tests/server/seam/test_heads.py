"""The file of a classifier: what is written is read, and what is damaged is refused."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load

from llmaas_client.wire.classifiers import ClassifierCard
from llmaas_server.errors import Problem
from llmaas_server.seam import heads
from support.cards import card


def file_of(weights: list[float] | None = None, **changes: object) -> bytes:
    made = ClassifierCard.model_validate(card().model_dump() | changes)
    return heads.write(heads.Head(made, struct.pack("<6f", *(weights or [1, 2, 3, 4, 5, 6]))))


def test_what_is_written_is_read() -> None:
    head = heads.read(file_of())
    assert head.card == card()
    assert head.weights == struct.pack("<6f", 1, 2, 3, 4, 5, 6)
    assert file_of() == file_of()


def test_a_calibration_of_each_label_goes_along() -> None:
    per_class = {"scales": [0.5, 2.0], "offsets": [-1.0, 1.5]}
    read = heads.read(file_of(per_class=per_class)).card.per_class
    assert read is not None
    assert read.model_dump() == per_class


def test_it_is_a_safetensors_file(tmp_path: Path) -> None:
    tensors = load(file_of())
    assert list(tensors) == ["weight"]
    assert np.array_equal(tensors["weight"], np.array([[1, 2, 3], [4, 5, 6]], dtype=np.float32))


def cut(file: bytes) -> bytes:
    return file[:-1]


def header_of(file: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    length = int.from_bytes(file[:8], "little")
    header = json.loads(file[8 : 8 + length])
    change(header)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + file[8 + length :]


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda file: b"", "does not begin"),
        (lambda file: b"\xff" * 40, "does not begin"),
        (lambda file: file[:20], "cut off in its header"),
        (lambda file: file[:8] + b"x" + file[9:], "not JSON"),
        (cut, "23 bytes of weights, and should have 24"),
        (lambda file: file + b"1234", "28 bytes of weights"),
        (lambda file: header_of(file, lambda h: h.update(other=h["weight"])), "other tensors"),
        (lambda file: header_of(file, lambda h: h.pop("__metadata__")), "no card"),
        (lambda file: header_of(file, lambda h: h.update(__metadata__={})), "no card of llmaas"),
        (
            lambda file: header_of(file, lambda h: h.update(__metadata__={"llmaas": "{}"})),
            "its card is not one",
        ),
        (
            lambda file: header_of(file, lambda h: h["weight"].update(shape=[3, 2])),
            r"not float32 of shape \[2, 3\]",
        ),
        (lambda file: file_of([1, 2, 3, 4, 5, math.nan]), "not a finite number"),
        (lambda file: file_of(labels=["same", "same"]), "not different"),
        (lambda file: file_of(dimensions=10**9), "1000000000 dimensions"),
        (lambda file: file_of(temperature=0.0), "temperature"),
        (
            lambda file: file_of(per_class={"scales": [1.0], "offsets": [0.0, 0.0]}),
            "calibration is of other labels",
        ),
        (
            lambda file: file_of(per_class={"scales": [1.0, 0.0], "offsets": [0.0, 0.0]}),
            "a scale is not positive",
        ),
        (lambda file: file_of(temperature=math.inf), "its card is not one|temperature"),
    ],
)
def test_damage_is_refused_with_what_is_wrong(damage: Callable[[bytes], bytes], says: str) -> None:
    with pytest.raises(Problem, match=says) as caught:
        heads.read(damage(file_of()))
    assert caught.value.code == "invalid_request"
    assert caught.value.param == "file"
