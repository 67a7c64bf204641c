"""`POST /predict` on the embedded model: 30 sentences, half of each class."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmaas_server.models.store import Store
from llmaas_server.settings import Settings
from support.front import front

POSITIVE = [
    "I love Python.",
    "What a wonderful day we had at the lake!",
    "The staff were friendly and the room was spotless.",
    "This is the best coffee I have tasted in years.",
    "She was delighted with her birthday present.",
    "An inspiring film with brilliant performances.",
    "The update fixed every problem, and now it runs perfectly.",
    "I would happily recommend this book to anyone.",
    "Our team won, and everybody celebrated all night.",
    "The food was delicious and the service was quick.",
    "He smiled all the way home after hearing the good news.",
    "Great value for the price, and it looks beautiful.",
    "The concert was amazing from the first song to the last.",
    "I feel grateful for all the help that I received.",
    "The new phone is fast, light and a pleasure to use.",
]
NEGATIVE = [
    "I hate waiting in traffic every morning.",
    "The worst meal that I have ever paid for.",
    "The hotel was dirty and the staff were rude.",
    "This phone broke after two days, what a waste of money.",
    "I am very disappointed with the quality.",
    "A dull film with a stupid plot and terrible acting.",
    "The app crashes all the time and nobody answers my emails.",
    "She was furious about the delay.",
    "My luggage was lost and nobody apologized.",
    "The soup was cold, and it tasted awful.",
    "I regret buying this useless machine.",
    "He felt miserable after failing the exam.",
    "The instructions are confusing and half of the parts were missing.",
    "Never again: the seats were uncomfortable and the flight was late.",
    "The customer service was horrible and they refused to give a refund.",
]
SENTENCES = [(text, 1) for text in POSITIVE] + [(text, 0) for text in NEGATIVE]
LEAST = 24
"""A constant gets 15 of 30; a coin gets 24 or more once in 1400 tries."""


@pytest.mark.real_models
def test_thirty_sentences(tmp_path: Path, embedded_store: Store) -> None:
    settings = Settings(home=tmp_path, cache=embedded_store.cache)
    with front(settings) as running:
        # The worker is still starting; the first call waits for it.
        predictions = [
            running.http.post("/predict", json={"text": text}, timeout=120).json()["prediction"]
            for text, _ in SENTENCES
        ]
    right = sum(said == meant for said, (_, meant) in zip(predictions, SENTENCES, strict=True))
    assert right >= LEAST
