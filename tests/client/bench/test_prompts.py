from __future__ import annotations

import pytest

from llmaas_client.bench.prompts import WORDS, Fit, MadeUp, read_prompts
from llmaas_client.errors import ConfigurationError


def words_of(prompts: MadeUp, number: int) -> list[str]:
    (message,) = prompts.prompt(number)
    return message["content"].split()


def test_prompts_have_the_length_and_are_never_the_same() -> None:
    prompts = MadeUp(40, "seed")
    made = [tuple(words_of(prompts, number)) for number in range(200)]
    assert {len(words) for words in made} == {40}
    assert len(set(made)) == 200
    assert max(sum(words[:2] == other[:2] for other in made) for words in made) <= 3
    assert words_of(MadeUp(40, "seed"), 7) == words_of(prompts, 7)
    assert words_of(MadeUp(40, "other"), 7) != words_of(prompts, 7)


def test_a_shared_prefix_is_the_same_in_all_and_the_rest_is_not() -> None:
    prompts = MadeUp(40, "seed", shared=25)
    first, second = words_of(prompts, 0), words_of(prompts, 1)
    assert first[:25] == second[:25]
    assert first[25:] != second[25:]
    assert len(first) == 40
    whole = MadeUp(10, "seed", shared=99)
    assert words_of(whole, 0) == words_of(whole, 1)


def test_words_are_plain() -> None:
    assert len(set(WORDS)) == len(WORDS) > 250
    assert all(word.isascii() and word.islower() and word.isalpha() for word in WORDS)


@pytest.mark.parametrize(
    ("few", "many", "tokens", "words"),
    [
        ((10, 19), (100, 109), 125, 116),
        ((10, 15), (100, 150), 300, 200),
        ((10, 40), (100, 130), 20, 1),
        ((10, 5), (100, 5), 125, 125),
    ],
    ids=["around", "longer words", "more around than asked for", "a server that cannot count"],
)
def test_fit(few: tuple[int, int], many: tuple[int, int], tokens: int, words: int) -> None:
    assert Fit.through(few, many).words(tokens) == words


def test_a_file_of_prompts() -> None:
    text = """
        "one"
        {"prompt": "two", "id": 2}
        {"text": "three"}

        {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "four"}]}
    """
    given = read_prompts(text, "prompts.jsonl")
    assert [given.prompt(number)[-1]["content"] for number in range(5)] == [
        "one", "two", "three", "four", "one",
    ]  # fmt: skip
    assert given.prompt(3)[0] == {"role": "system", "content": "s"}


@pytest.mark.parametrize(
    "line", ["{", "7", "[]", "{}", '{"prompt": 7}', '{"messages": []}', '{"messages": [{}]}']
)
def test_a_line_that_is_no_prompt_is_named(line: str) -> None:
    with pytest.raises(ConfigurationError, match=r"prompts\.jsonl, line 2"):
        read_prompts(f'"fine"\n{line}', "prompts.jsonl")


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no prompts"):
        read_prompts("\n", "prompts.jsonl")
