"""Packed weights: every bit of a 4-bit file, and 8 bits for the rest."""

from __future__ import annotations

import pytest
import torch

from llmaas_server.models.blocks import Blocks, dequantize
from llmaas_server.runtime.kernels import packing


def unpack(packed: packing.Packed) -> torch.Tensor:
    """The weight that the kernels see, read the slow way by the drawing in linear.h."""
    weight = torch.zeros(packed.n, packed.k)
    size = packed.group * packed.bits * 2
    for block in range(packed.n // 16):
        for group in range(packed.k // packed.group):
            raw = packed.blocks[block, group]
            scale = raw[size : size + 32].view(torch.float16).float()
            minimum = raw[size + 32 : size + 64].view(torch.float16).float()
            for out in range(16):
                for i in range(packed.group):
                    chunk, within = divmod(i, 32)
                    vector, at = divmod(within, 4) if packed.bits == 8 else divmod(within % 16, 4)
                    byte = int(raw[chunk * 64 * packed.bits + vector * 64 + 4 * out + at])
                    if packed.bits == 4:
                        byte = byte & 15 if within < 16 else byte >> 4
                    weight[16 * block + out, group * packed.group + i] = (
                        scale[out] * byte + minimum[out]
                    )
    return weight


def test_four_bit_weights_keep_every_bit() -> None:
    generator = torch.Generator().manual_seed(0)
    values = torch.randint(0, 256, (32, 48), generator=generator, dtype=torch.uint8)
    scale = torch.rand(32, 3, generator=generator).half()
    minimum = -torch.rand(32, 3, generator=generator).half()
    expected = dequantize(Blocks(values.numpy(), scale.numpy(), minimum.numpy()))

    packed = packing.pack_q4(values, scale, minimum)

    assert (packed.n, packed.k, packed.bits, packed.group) == (32, 96, 4, 32)
    assert torch.equal(unpack(packed), torch.from_numpy(expected))


def test_eight_bit_weights_keep_every_bit() -> None:
    generator = torch.Generator().manual_seed(1)
    values = torch.randint(-127, 128, (16, 64), generator=generator, dtype=torch.int8)
    scale = torch.rand(16, 2, generator=generator).half()
    expected = dequantize(Blocks(values.numpy(), scale.numpy()))

    assert torch.allclose(
        unpack(packing.pack_q8(values, scale)), torch.from_numpy(expected), atol=1e-5
    )


@pytest.mark.parametrize("group", [32, 64, 96])
def test_other_weights_come_within_half_a_step(group: int) -> None:
    weight = torch.randn(32, 192, generator=torch.Generator().manual_seed(2))
    weight[3, :group] = 0  # a group of zeros stays one

    found = unpack(packing.quantize(weight, group))

    steps = weight.view(32, -1, group).abs().amax(-1) / 127
    error = (found - weight).abs().view(32, -1, group).amax(-1)
    assert (error <= 0.52 * steps + 1e-3 * steps).all()
    assert not found[3, :group].any()


def test_four_bits_come_within_half_a_step() -> None:
    weight = torch.randn(16, 64, generator=torch.Generator().manual_seed(3))

    found = unpack(packing.quantize_q4(weight))

    grouped = weight.view(16, 2, 32)
    steps = (grouped.amax(-1) - grouped.amin(-1)) / 15
    assert ((found - weight).abs().view(16, 2, 32).amax(-1) <= 0.55 * steps).all()


def test_what_cannot_be_packed_is_said() -> None:
    assert packing.can_pack(48, 96, 32)
    assert not packing.can_pack(40, 96, 32)
    assert not packing.can_pack(48, 100, 32)
