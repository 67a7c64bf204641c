"""Which words are names, and whether a text has them."""

from __future__ import annotations

import pytest

from llmaas_server.tasks.grounding.names import Vocabulary, names

SOURCE = Vocabulary(
    [
        "Alice Miller bought a car from the United Nations in Germany, and paid the mayor.",
        "The recurrent neural network (LSTM) of O'Brien was trained in Jan. by Bob.",
        "Americans like it. The researchers were there.",
    ]
)

HERE = [
    "Bob bought a car.",
    "It was Alice Miller's car.",
    "The UN met in January.",
    "It is a German car.",
    "They came from America.",
    "Several LSTMs are trained.",
    "An RNN is trained.",
    "He met O’Brien.",
    "他说LSTM很好。",
]
MISSING = [
    ("Carol bought a car.", ["Carol"]),
    ("Carol's car was red.", ["Carol"]),
    ("She drove to France with Dora Brown.", ["France", "Dora Brown"]),
    ("Alice Smith bought a car.", ["Alice Smith"]),
    ("He works for NATO.", ["NATO"]),
    ("They trained GPT4 on Monday.", ["GPT4", "Monday"]),
    ("“Carol is here,” said Peter.", ["Carol", "Peter"]),
    ("- Eve left.", ["Eve"]),
    ("However, Eve left.", ["Eve"]),
]


@pytest.mark.parametrize("sentence", HERE)
def test_names_of_the_source(sentence: str) -> None:
    found = names(sentence, SOURCE.uncapitalised)
    assert found
    assert all(SOURCE.has(name) for name in found)


@pytest.mark.parametrize(("sentence", "missing"), MISSING)
def test_names_that_the_source_lacks(sentence: str, missing: list[str]) -> None:
    found = names(sentence, SOURCE.uncapitalised)
    assert [name.text for name in found if not SOURCE.has(name)] == missing


@pytest.mark.parametrize(
    "sentence",
    [
        "Researchers propose a method.",
        "New methods are shown.",
        "However, it rained and I left.",
        "Mayor Opens Long Bridge Today",
        "It said: Nothing happened.",
        "昨天下雨了。",
    ],
)
def test_no_names(sentence: str) -> None:
    assert names(sentence, SOURCE.uncapitalised) == []
