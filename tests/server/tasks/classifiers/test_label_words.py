"""What stands for a label before a similarity model."""

from __future__ import annotations

import pytest

from llmaas_server.tasks.classifiers import label_words
from support.fake_runtime import fake_model
from support.tasks import read_request


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("credit_limit_change", "credit limit change"),
        ("AddToPlaylist", "Add To Playlist"),
        ("Sci/Tech", "Sci/Tech"),
        ("an iPhone", "an iPhone"),
        ("_", "_"),
        ("体育", "体育"),
    ],
)
def test_names_of_programs_are_read_as_words(name: str, plain: str) -> None:
    assert label_words.readable(name) == plain


def test_common_labels_have_a_sense_and_others_have_none() -> None:
    words = read_request("classify", fake_model(), text="x", labels=["Positive", "purple"])
    known, unknown = words.scoring.words
    assert len(known.sense) > 5
    assert unknown.sense == ()
    assert [phrase for phrase, _ in unknown.phrases][:2] == ["purple", "this is about purple."]


def test_the_shipped_words_are_sound() -> None:
    assert len(label_words.background()) > 100
    for name, phrases in label_words.senses().items():
        assert name == name.lower().strip()
        assert len(phrases) > 1
        assert all(phrase.strip() == phrase for phrase, _ in phrases)
