"""The catalogue that ships: whole, consistent, and honest about sizes and pins."""

from __future__ import annotations

import pytest

from llmaas_server.models import catalogue
from llmaas_server.models.catalogue import Entry
from llmaas_server.models.inspect import tasks_of
from llmaas_server.models.lookup import close_names
from llmaas_server.models.names import is_name
from llmaas_server.models.origin import Hub, Wheel
from llmaas_server.models.recommend import HEADROOM, needed_bytes, recommend
from llmaas_server.settings import Settings
from support.sources import ROOT

SHIPPED = catalogue.load()
GIB = 1 << 30


@pytest.mark.parametrize("entry", SHIPPED.model, ids=lambda entry: entry.name)
def test_entries_are_consistent(entry: Entry) -> None:
    assert is_name(entry.name)
    assert SHIPPED.names.count(entry.name) == 1
    assert set(entry.tasks) <= set(tasks_of(entry.kind, True))
    assert entry.parameters > 1_000_000
    assert entry.purpose
    assert entry.languages
    assert entry.licence
    if isinstance(entry.source, Hub):
        assert entry.name == entry.source.repo
        assert entry.source.revision is None or len(entry.source.revision) == 40
    else:
        assert len(entry.source.sha256) == 64
        assert entry.pinned


def test_the_default_models_are_embedded() -> None:
    embedded = {entry.name for entry in SHIPPED.model if entry.embedded}
    settings = Settings()

    assert {
        settings.classify_model,
        settings.summarize_model,
        settings.abstractive_model,
        settings.chat_model,
        settings.embed_model,
    } == embedded


@pytest.mark.parametrize("task", ["classify", "summarize", "chat", "embed"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_there_is_something_for_everyone(task: catalogue.Task, language: str) -> None:
    made_for_it = [entry for entry in SHIPPED.model if entry.tasks[0] == task]
    able = [e for e in SHIPPED.model if task in e.tasks and language in e.languages]

    assert made_for_it
    assert len(able) >= 3


def test_the_embedded_models_say_what_they_cannot_do() -> None:
    for entry in SHIPPED.model:
        if entry.embedded:
            assert entry.languages == ("en",)
            assert "English alone" in entry.limits
            card = ROOT / "docs" / "models" / f"{entry.name}.md"
            assert f"# {entry.name}\n" in card.read_text("utf-8")


def test_models_for_many_languages_are_free_and_the_smallest_come_first() -> None:
    entries = SHIPPED.multilingual
    assert {"encoder", "decoder", "classifier"} <= {entry.kind for entry in entries}
    assert not any(entry.gated for entry in entries)
    assert all(entry.speaks("zh") and entry.speaks("ja") for entry in entries)
    sizes = [entry.parameters for entry in entries]
    assert sizes == sorted(sizes)


def test_an_unknown_field_is_an_error() -> None:
    text = '[[model]]\nname = "x"\ncolour = "red"\n'

    with pytest.raises(ValueError, match="colour"):
        catalogue.parse(text)


def test_sizes_follow_from_parameters() -> None:
    entry = SHIPPED.find("facebook/bart-large-cnn")
    assert entry is not None
    assert entry.download_bytes == entry.memory_bytes("float32") == 4 * entry.parameters
    assert needed_bytes(entry, "bfloat16") == int(2 * entry.parameters * HEADROOM)

    wheel = next(entry for entry in SHIPPED.model if entry.embedded)
    assert isinstance(wheel.source, Wheel)
    assert wheel.download_bytes == wheel.source.bytes


# --- recommend ----------------------------------------------------------------------------------


def test_what_fits_comes_first_then_the_largest_made_for_the_task() -> None:
    choices = recommend(SHIPPED.model, "chat", 24 * GIB, "cuda")
    fitting = [choice for choice in choices if choice.fits]

    assert choices[: len(fitting)] == fitting
    assert 0 < len(fitting) < len(choices) + 1
    sizes = [choice.entry.parameters for choice in fitting if choice.entry.tasks[0] == "chat"]
    assert sizes == sorted(sizes, reverse=True)
    assert all(choice.memory_bytes <= 24 * GIB for choice in fitting)
    assert all("chat" in choice.entry.tasks for choice in choices)


def test_nothing_fits_then_the_smallest_is_first() -> None:
    choices = recommend(SHIPPED.model, "embed", 1, "cpu")

    assert not any(choice.fits for choice in choices)
    assert choices[0].entry.parameters == min(c.entry.parameters for c in choices)


def test_a_large_decoder_is_slow_on_a_cpu_and_not_on_a_gpu() -> None:
    on_cpu = recommend(SHIPPED.model, "chat", 64 * GIB, "cpu")
    on_gpu = recommend(SHIPPED.model, "chat", 64 * GIB, "cuda")

    assert not on_cpu[0].slow
    assert any(choice.slow and choice.fits for choice in on_cpu)
    assert not any(choice.slow for choice in on_gpu)
    assert on_gpu[0].entry.parameters > on_cpu[0].entry.parameters


def test_bfloat16_where_float32_does_not_fit() -> None:
    entry = SHIPPED.find("facebook/bart-large-mnli")
    assert entry is not None
    wide, narrow = needed_bytes(entry, "float32"), needed_bytes(entry, "bfloat16")

    for memory, dtype, fits in (
        (wide, "float32", True),
        (wide - 1, "bfloat16", True),
        (narrow - 1, "bfloat16", False),
    ):
        (choice,) = recommend([entry], "classify", memory, "cpu")
        assert (choice.dtype, choice.fits) == (dtype, fits)


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ("all-minilm-l6", "all-minilm-l6-v2"),
        ("all-MiniLM-L6-v2", "all-minilm-l6-v2"),
        ("bart-large-cnn", "facebook/bart-large-cnn"),
        ("qwen2.5-0.5b-instruct", "Qwen/Qwen2.5-0.5B-Instruct"),
    ],
)
def test_close_names(asked: str, first: str) -> None:
    assert close_names(asked, SHIPPED.names)[0] == first


def test_nothing_is_close_to_nonsense() -> None:
    assert close_names("zzzzzzzz", SHIPPED.names) == []
