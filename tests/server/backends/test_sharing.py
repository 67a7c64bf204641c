"""What each worker may take of the machine, by a table."""

from __future__ import annotations

import pytest

from llmaas_server.backends.sharing import Share, Sharing

FREE = Sharing(cores=8, memory=1600)
SET = Sharing(cores=8, memory=1600, threads=3, memory_bytes=900)

SHARES: dict[str, tuple[Sharing, str, list[str], Share]] = {
    "alone": (FREE, "auto", [], Share(None, None)),
    "alone, as set": (SET, "cpu", [], Share(3, 900)),
    "two on the CPU": (FREE, "cpu", ["cpu"], Share(4, 600)),
    "the default device is the CPU beside one on the CPU": (
        FREE,
        "cpu",
        ["auto"],
        Share(4, 600),
    ),
    "three on the CPU": (FREE, "cpu", ["cpu", "cpu"], Share(2, 400)),
    "more than cores": (FREE, "cpu", ["cpu"] * 9, Share(1, 120)),
    "two, as set": (SET, "cpu", ["cpu"], Share(3, 450)),
    "a GPU each": (FREE, "cuda:1", ["cuda:0", "cpu"], Share(None, None)),
    "a GPU each, as set": (SET, "cuda:1", ["cuda"], Share(3, 900)),
    "two on one GPU": (FREE, "cuda:0", ["cuda"], Share(None, None)),
    "two on one GPU, as set": (SET, "cuda:0", ["cuda"], Share(3, 450)),
}


@pytest.mark.parametrize(
    ("sharing", "device", "others", "share"), SHARES.values(), ids=SHARES.keys()
)
def test_share(sharing: Sharing, device: str, others: list[str], share: Share) -> None:
    assert sharing.of(device, others) == share
