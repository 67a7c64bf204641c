"""Summaries beside references and baselines, by ROUGE as rouge-score has it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from llmaas_client import Client, ConfigurationError, InvalidRequest, evaluation
from llmaas_client.evaluation import Interrupted, SummarizeReport
from llmaas_client.evaluation.baselines import FIRST_SENTENCES, FIRST_WORDS, RANDOM, baselines
from llmaas_client.evaluation.passages import count, first_words, sentences
from support import answers
from support.http_server import Exchange, serving

rouge_scorer = pytest.importorskip("rouge_score.rouge_scorer")

TEXT = "The cat sat. A dog barked at it. Nobody came! It rained all night."


def summary(*parts: str, **more: Any) -> dict[str, Any]:
    found = [
        {"text": part, "sources": [{"start": 0, "end": 1}], "support": 1.0, "supported": True}
        for part in parts
    ]
    shown = {"summary": " ".join(parts), "sentences": found, "method": "extractive"}
    return answers.HEAD | shown | {"coverage": 1.0, "words": 3} | more


def summarize(
    write: Callable[[str], dict[str, Any]], rows: list[Any], **options: Any
) -> SummarizeReport:
    def handle(exchange: Exchange) -> None:
        text = exchange.json["text"]
        if "refuse" in text:
            exchange.answer(
                answers.error("invalid_request", "max_words: too few"), "400 Bad Request"
            )
            return
        exchange.answer(write(text))

    with serving(handle) as server, Client(server.url, api_key="k") as client:
        return evaluation.summarize(client, rows, **options)


def score(reference: str, text: str, kind: str) -> float:
    scorer = rouge_scorer.RougeScorer([kind], use_stemmer=True)
    return float(scorer.score(reference, text)[kind].fmeasure)


def test_rouge_is_that_of_the_package() -> None:
    reference = "Cats were sitting.\nIt rained during the night."
    report = summarize(
        lambda _: summary("The cat sat.", "It rained all night."), [(TEXT, reference)]
    )
    ours = report.systems[0]
    text = "The cat sat.\nIt rained all night."
    assert ours.name == "llmaas"
    assert ours.rouge1.value == pytest.approx(score(reference, text, "rouge1"))
    assert ours.rouge2.value == pytest.approx(score(reference, text, "rouge2"))
    assert ours.rouge_lsum.value == pytest.approx(score(reference, text, "rougeLsum"))
    assert ours.words == 7
    assert [one.name for one in report.systems[1:]] == [FIRST_SENTENCES, FIRST_WORDS, RANDOM]


def test_of_several_references_the_best_counts() -> None:
    references = ["Something else entirely.", "The cat sat."]
    report = summarize(lambda _: summary("The cat sat."), [(TEXT, references)])
    assert report.systems[0].rouge1.value == 1.0
    assert report.several_references == 1
    assert "the best of them counts" in report.markdown()


def test_chinese_characters_count() -> None:
    report = summarize(lambda _: summary("今天下雨。"), [("今天下雨。明天晴。", "今天下雨了。")])
    assert report.systems[0].rouge1.value == pytest.approx(2 * (4 / 5 * 1) / (4 / 5 + 1))
    assert report.unreadable == 0
    report = summarize(lambda _: summary("Привет."), [("Привет. Пока.", "Привет.")])
    assert report.unreadable == 1
    assert "ROUGE finds nothing there" in report.markdown()


def test_baselines_are_as_long() -> None:
    lead, words, chance = baselines(TEXT, count=2, words=6, seed="x")
    assert lead.drawings == [["The cat sat.", "A dog barked at it."]]
    assert words.drawings == [["The cat sat.", "A dog barked"]]
    assert len(chance.drawings) == 5
    for drawing in chance.drawings:
        assert count("\n".join(drawing)) <= 6
        places = [TEXT.index(sentence) for sentence in drawing]
        assert places == sorted(places)
    assert baselines(TEXT, 2, 6, "x") == [lead, words, chance]
    assert chance.drawings != baselines(TEXT, 2, 6, "y")[2].drawings


def test_a_random_sentence_that_is_too_long_is_cut() -> None:
    (*_, chance) = baselines("One very long sentence without an end", 1, 2, "x")
    assert chance.drawings[0] == ["One very"]


def test_differences_are_paired() -> None:
    """Ours is the reference, so it is ahead of everything but equal beginnings."""
    rows = [
        (f"Filler words number {n}. The answer is {n}.", f"The answer is {n}.") for n in range(30)
    ]
    report = summarize(lambda text: summary(text.split(". ")[1]), rows)
    lead = report.ahead[0]
    assert lead.baseline == FIRST_SENTENCES
    ours, theirs = report.systems[0], report.systems[1]
    assert lead.rouge1.value == pytest.approx(ours.rouge1.value - theirs.rouge1.value)
    assert lead.rouge1.low > 0.5


def test_support_and_coverage() -> None:
    def write(text: str) -> dict[str, Any]:
        body = summary("Right.", "Wrong 42.", "Unknown.", coverage=0.5 if "half" in text else 1.0)
        body["sentences"][1] |= {
            "support": 0.2,
            "supported": False,
            "reasons": ["the number 42 is not in the source"],
        }
        body["sentences"][2] |= {"support": None, "supported": None}
        return body | {"dropped": 1}

    report = summarize(write, [("half. b.", "a"), ("c. d.", "a")])
    assert (report.sentences, report.measured, report.dropped) == (6, 4, 2)
    assert report.supported is not None
    assert report.supported.value == 0.5
    assert (report.coverage, report.least_coverage) == (0.75, 0.5)
    assert report.unsupported[0].reasons == ("the number 42 is not in the source",)
    assert "the number 42 is not in the source" in report.html()


def test_a_row_that_is_refused() -> None:
    rows = [(TEXT, "a"), ("refuse this", "b")]
    with pytest.raises(InvalidRequest, match="row 2: max_words: too few"):
        summarize(lambda _: summary("x"), rows)
    report = summarize(lambda _: summary("x"), rows, skip_refused=True)
    assert (report.rows, [one.where for one in report.refused]) == (1, ["row 2"])
    with pytest.raises(ConfigurationError, match="all rows were refused; max_words"):
        summarize(lambda _: summary("x"), rows[1:], skip_refused=True)


@pytest.mark.parametrize(
    ("rows", "message"),
    [([], "no rows"), ([("a", " ")], "row 1 has no reference"), ([("a", [])], "row 1 has no")],
)
def test_rows_that_cannot_be_used(rows: list[Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        summarize(lambda _: summary("x"), rows)


def test_an_interrupt_keeps_what_is_done() -> None:
    def stop(done: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        summarize(lambda _: summary("x"), [("a b.", "a")] * 9, progress=stop)
    assert isinstance(caught.value.report, SummarizeReport)
    assert caught.value.report.rows == 2


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rouge_score.rouge_scorer", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'llmaas\[bench\]'"):
        summarize(lambda _: summary("x"), [("a", "a")])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("Dr. Who met J. Smith. They left.", ["Dr. Who met J. Smith.", "They left."]),
        ("It costs 3.5 dollars. e.g. this", ["It costs 3.5 dollars. e.g. this"]),
        ("A: hello\nB: hi\n\n", ["A: hello", "B: hi"]),
        ("下雨了！真的？！“是的。”他说。", ["下雨了！", "真的？！", "“是的。”", "他说。"]),
        ('He said "Go." Then he went.', ['He said "Go."', "Then he went."]),
        ("  ", []),
    ],
)
def test_sentences(text: str, found: list[str]) -> None:
    assert [one.text for one in sentences(text)] == found


def test_words() -> None:
    assert count("Two words, 三个字") == 5
    assert first_words("Two words, 三个字", 3) == "Two words, 三"
    assert first_words("a b", 9) == "a b"
    assert first_words("a b", 0) == ""
