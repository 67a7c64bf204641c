"""Quantized blocks: the layout, and gguf's own arithmetic as the reference."""

from __future__ import annotations

import gguf
import numpy as np
import pytest

from llmaas_server.models.blocks import (
    Blocks,
    Source,
    dequantize,
    from_gguf,
    part_names,
    quantized_weights,
    unpack,
)

KINDS: list[Source] = ["Q4_0", "Q4_1", "Q8_0"]


@pytest.mark.parametrize("source", KINDS)
def test_dequantizes_as_gguf_does(source: Source) -> None:
    weight = np.random.default_rng(1).standard_normal((6, 96)).astype(np.float32)
    kind = gguf.GGMLQuantizationType[source]
    raw = gguf.quants.quantize(weight, kind)

    blocks = from_gguf(raw, source)

    assert np.array_equal(dequantize(blocks), gguf.quants.dequantize(raw, kind))


@pytest.mark.parametrize(
    ("source", "values", "minimum"),
    [("Q4_0", (3, 32), (3, 2)), ("Q4_1", (3, 32), (3, 2)), ("Q8_0", (3, 64), None)],
)
def test_shapes(source: Source, values: tuple[int, int], minimum: tuple[int, int] | None) -> None:
    weight = np.random.default_rng(2).standard_normal((3, 64)).astype(np.float32)
    blocks = from_gguf(gguf.quants.quantize(weight, gguf.GGMLQuantizationType[source]), source)

    assert blocks.values.shape == values
    assert blocks.scale.shape == (3, 2)
    assert (None if blocks.minimum is None else blocks.minimum.shape) == minimum


def test_order_of_nibbles() -> None:
    packed = np.zeros((1, 32), np.uint8)  # two blocks
    packed[0, 0] = 0xA1  # block 0: input 0 is 1, input 16 is 10
    packed[0, 31] = 0x7C  # block 1: input 32 + 15 is 12, input 32 + 31 is 7

    nibbles = unpack(packed)[0]

    assert {i: int(n) for i, n in enumerate(nibbles) if n} == {0: 1, 16: 10, 47: 12, 63: 7}


def test_one_block_by_hand() -> None:
    packed = np.full((1, 16), 0x30, np.uint8)  # low halves 0, high halves 3
    blocks = Blocks(packed, np.full((1, 1), 0.5, np.float16), np.full((1, 1), -1, np.float16))

    assert dequantize(blocks).tolist() == [[-1.0] * 16 + [0.5] * 16]


def test_a_scale_too_large_for_its_minimum_is_refused() -> None:
    raw = np.zeros((1, 18), np.uint8)
    raw[0, :2] = np.array([60000], np.float16).view(np.uint8)

    with pytest.raises(ValueError, match="range of float16"):
        from_gguf(raw, "Q4_0")


def test_names() -> None:
    names = ["a.weight.q4", "a.weight.scale", "a.weight.min", "b.weight.q8", "b.weight.scale", "c"]

    assert quantized_weights(names) == {"a.weight": "q4", "b.weight": "q8"}
    assert part_names("a.weight", "q4") == ("a.weight.q4", "a.weight.scale", "a.weight.min")
    assert part_names("b.weight", "q8") == ("b.weight.q8", "b.weight.scale")
