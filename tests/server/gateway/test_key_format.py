"""Keys have one form, which tells them from everything else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmaas_client.wire.keys import PATTERN
from llmaas_server.gateway.ids import ALPHABET, LENGTH, new_id
from llmaas_server.gateway.key_format import BASE62, mint, parse
from llmaas_server.storage.keys import KeyKind

KINDS = st.sampled_from(["inference", "management"])
IDS = st.text(ALPHABET, min_size=LENGTH, max_size=LENGTH).map(lambda text: f"key_{text}")


@given(KINDS, IDS)
def test_what_is_minted_is_parsed(kind: KeyKind, key_id: str) -> None:
    key = mint(kind, key_id)
    parsed = parse(key)
    assert parsed is not None
    assert (parsed.kind, parsed.id, parsed.text) == (kind, key_id, key)
    assert re.fullmatch(PATTERN, key)
    assert key not in repr(parsed)


@given(KINDS, st.integers(0, 71), st.sampled_from(BASE62 + "_-é \n\0"))
def test_one_other_character_makes_it_no_key(kind: KeyKind, place: int, other: str) -> None:
    key = mint(kind, new_id("key"))
    changed = key[:place] + other + key[place + 1 :]
    assert parse(changed) is None or changed == key


@given(KINDS, st.integers(0, 70))
def test_neighbours_that_changed_places_make_it_no_key(kind: KeyKind, place: int) -> None:
    key = mint(kind, new_id("key"))
    changed = key[:place] + key[place + 1] + key[place] + key[place + 2 :]
    assert parse(changed) is None or changed == key


@given(st.text(max_size=200))
def test_other_texts_are_no_keys(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize("change", [lambda key: key[:-1], lambda key: key + "0", str.upper])
def test_cut_or_longer(change: object) -> None:
    assert callable(change)
    assert parse(change(mint("inference", new_id("key")))) is None


def test_secrets_are_all_different_and_use_every_character() -> None:
    keys = [mint("inference", "key_000000000000") for _ in range(300)]
    assert len(set(keys)) == 300
    assert set("".join(key.split("_")[3] for key in keys)) == set(BASE62)


def test_a_text_holds_a_key() -> None:
    """As a secret scanner looks for one."""
    key = mint("management", new_id("key"))
    found = re.search(PATTERN, f'LLMAAS_API_KEY="{key}" # mine')
    assert found is not None
    assert found[0] == key
