"""docs/concepts/attention.md: what its code prints is what the page shows, and it is right."""

from __future__ import annotations

import contextlib
import io
import math
from typing import Any

import pytest
import torch

from support.pages import DOCS, Block, Page

PATH = DOCS / "concepts" / "attention.md"
PAGE = Page(PATH, PATH.read_text("utf-8"))


def run(blocks: list[Block]) -> tuple[dict[str, Any], list[str]]:
    """Run the page's Python in one namespace; what each block prints."""
    names: dict[str, Any] = {}
    printed = []
    for block in blocks:
        with contextlib.redirect_stdout(io.StringIO()) as output:
            exec(compile("\n" * block.line + block.text, str(PATH), "exec"), names)
        printed.append(output.getvalue())
    return names, printed


@pytest.fixture(scope="module")
def computed() -> dict[str, Any]:
    return run(PAGE.code("python"))[0]


def test_each_block_prints_what_the_page_shows() -> None:
    blocks = PAGE.blocks
    first = next(i for i, block in enumerate(blocks) if block.language == "python")
    code, shown = blocks[first::2], blocks[first + 1 :: 2]
    assert {block.language for block in code} == {"python"}
    assert {block.language for block in shown} == {"text"}
    assert len(code) == len(shown) >= 8
    printed = run(code)[1]
    assert [stripped(text) for text in printed] == [stripped(block.text) for block in shown]


def stripped(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines()]


def test_page_is_about_five_words(computed: dict[str, Any]) -> None:
    assert " ".join(computed["words"]) == "I love natural language processing"


def test_result_is_torchs(computed: dict[str, Any]) -> None:
    query, key, value = (
        torch.tensor(computed[name], dtype=torch.float64)[None] for name in ("Q", "K", "V")
    )
    expected = torch.nn.functional.scaled_dot_product_attention(query, key, value)[0]
    torch.testing.assert_close(torch.tensor(computed["output"], dtype=torch.float64), expected)


def test_masked_weights_are_torchs(computed: dict[str, Any]) -> None:
    query, key = (torch.tensor(computed[name], dtype=torch.float64)[None] for name in ("Q", "K"))
    # With the identity as values, the output is the weights.
    expected = torch.nn.functional.scaled_dot_product_attention(
        query, key, torch.eye(5, dtype=torch.float64)[None], is_causal=True
    )[0]
    torch.testing.assert_close(torch.tensor(computed["causal"], dtype=torch.float64), expected)


def test_rows_sum_to_one_and_weights_are_positive(computed: dict[str, Any]) -> None:
    for row in computed["weights"]:
        assert math.isclose(sum(row), 1.0)
        assert min(row) > 0
    assert min(min(row) for row in computed["scores"]) < 0, "a score may be negative: show one"
