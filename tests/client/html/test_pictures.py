"""What notebooks show: escaped, without scripts, and with all that a result says."""

from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from llmaas_client import Client, errors
from llmaas_client.batch.items import MapItem, MapResult, Sums
from llmaas_client.html.classification import heat
from llmaas_client.html.frame import tag, text
from llmaas_client.html.talk import growing, transcript
from llmaas_client.tasks.fields import reading
from llmaas_client.wire.chat import ChatResult
from llmaas_client.wire.classify import Classification, ClassifyResult
from llmaas_client.wire.embed import EmbedResult
from llmaas_client.wire.explanations import WordWeight
from llmaas_client.wire.messages import Message
from llmaas_client.wire.summarize import SummarizeResult
from llmaas_client.wire.usage import UsageReport
from support import answers
from support.http_server import serving
from support.mapping import TaskServer

EVIL = "<script>alert(1)</script><img src=x onerror='steal()'>\" onmouseover=\"x"
VOID = {"img", "br", "hr", "meta", "link", "input"}


class Reader(HTMLParser):
    """Sees that elements are closed in their order, and collects what a browser would see."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.titles: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.titles += [value or "" for name, value in attrs if name == "title"]
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words += data


def read(html: str | None) -> Reader:
    """Checks what holds for every picture."""
    assert html is not None
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert not reader.open
    assert not reader.tags & {"script", "iframe", "object", "embed", "link", "img"}
    assert not [name for name in reader.attributes if name.startswith("on")]
    assert not reader.attributes & {"src", "href"}, "nothing is loaded"
    assert "url(" not in html
    assert "prefers-color-scheme:dark" in html
    return reader


def span(start: int, end: int, **more: Any) -> dict[str, Any]:
    return {"start": start, "end": end, **more}


def classified(**changes: Any) -> ClassifyResult:
    body = answers.classify(EVIL)
    body["results"][0] |= changes
    return ClassifyResult.model_validate(body | {"model": EVIL})


EXPLANATION = {
    "label": EVIL,
    "method": "occlusion",
    "score": 0.9,
    "words": [
        span(0, 4, text="good", score=0.5),
        span(5, 8, text="bad", score=-0.25),
        span(9, 9 + len(EVIL), text=EVIL, score=0.0),
    ],
    "word_count": 7,
    "flip_texts": 12,
    "flip": {
        "text": "bad",
        "removed": [span(0, 4, text=EVIL)],
        "label": EVIL,
        "score": 0.7,
        "minimal": True,
    },
}


def test_scores_are_bars() -> None:
    seen = read(classified()._repr_html_())
    assert EVIL in seen.words
    assert "0.900" in seen.words
    assert "scores are not calibrated" in seen.words
    assert "width:90.0%" in (classified()._repr_html_() or "")
    abstained = read(classified(label=None, labels=[], abstained=True)._repr_html_())
    assert "no label is sure enough" in abstained.words


def test_an_explanation_is_a_heat_map() -> None:
    seen = read(classified(explanation=EXPLANATION)._repr_html_())
    assert "good bad " + EVIL in seen.words
    assert {"+0.5000", "-0.2500", "+0.0000"} <= set(seen.titles)
    assert "3 units of 7 words" in seen.words
    assert "without" in seen.words


def test_the_heat_of_a_word_is_its_share_of_the_most() -> None:
    words = [
        WordWeight(start=0, end=1, text="好", score=2.0),
        WordWeight(start=1, end=2, text="书", score=-1.0),
    ]
    html = heat(words)
    assert "rgba(var(--for,37,99,235),0.60)" in html
    assert "rgba(var(--against,217,119,6),0.30)" in html
    assert seen_in(html).words == "好书", "where the text has no space, none is shown"


def seen_in(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    return reader


def test_many_texts_are_told_apart() -> None:
    body = answers.classify()
    body["results"] *= 30
    texts = [f"text {n}" for n in range(30)]
    result = reading(ClassifyResult, texts)(
        ClassifyResult.model_validate(body).model_dump_json().encode()
    )
    seen = read(result._repr_html_())
    assert "text 19" in seen.words
    assert "text 20" not in seen.words
    assert "and 10 more" in seen.words


def summarized(about: Any) -> SummarizeResult:
    body = answers.summarize() | {
        "sentences": [
            {"text": "Roof is new.", "sources": [span(0, 16)], "support": 0.9},
            {
                "text": EVIL,
                "sources": [span(3, 9, document=1)],
                "support": 0.1,
                "supported": False,
                "reasons": ["the number 42 is not in the source"],
            },
        ],
        "unsupported": 1,
    }
    data = SummarizeResult.model_validate(body).model_dump_json().encode()
    return reading(SummarizeResult, about)(data)


def test_a_summary_shows_its_evidence() -> None:
    seen = read(summarized(["The roof is new. And so on.", "<b>bold"])._repr_html_())
    assert "support 0.90\nThe roof is new." in seen.titles
    assert "support 0.10\nthe number 42 is not in the source\nbold" in seen.titles
    assert "1 sentences are not supported" in seen.words
    assert EVIL in seen.words


def test_evidence_of_a_text_that_is_not_known_is_a_place() -> None:
    seen = read(summarized([])._repr_html_())
    assert "support 0.90\ncharacters 0 to 16" in seen.titles
    assert any("document 2, characters 3 to 9" in title for title in seen.titles)


def test_answers() -> None:
    body = answers.chat(EVIL) | {
        "citations": [
            {
                "document": 0,
                "id": EVIL,
                "start": 0,
                "end": 3,
                "text": EVIL,
                "answer_start": 0,
                "answer_end": 5,
                "support": 0.8,
            }
        ],
        "finish_reason": "length",
        "warnings": [{"code": "unread_text", "message": EVIL}],
    }
    body["message"] |= {
        "reasoning": EVIL,
        "tool_calls": [{"id": "c1", "name": "look_up", "arguments": {"q": EVIL}}],
    }
    seen = read(ChatResult.model_validate(body)._repr_html_())
    assert "max_tokens or the context ended it" in seen.words
    assert "look_up(" in seen.words
    assert "<scri[1]pt>" in seen.words, "the mark stands where the sentence ends"
    assert seen.words.count("<script>") == 3
    assert any("support 0.80" in title for title in seen.titles)


def test_conversations() -> None:
    messages = [
        Message(role="system", content="Be brief."),
        Message(role="user", content=EVIL),
        Message(role="assistant", content="Yes."),
    ]
    seen = read(transcript(messages, "1 turn"))
    assert seen.words.index("Be brief.") < seen.words.index(EVIL) < seen.words.index("Yes.")
    assert EVIL in read(messages[1]._repr_html_()).words
    assert EVIL in read(growing(EVIL, note="…")).words


def test_vectors() -> None:
    body = answers.embed() | {"embeddings": [[0.123456] * 384] * 25}
    result = reading(EmbedResult, [EVIL] * 25)(
        EmbedResult.model_validate(body).model_dump_json().encode()
    )
    seen = read(result._repr_html_())
    assert "25 vectors of 384 numbers" in seen.words
    assert "and 5 more" in seen.words


def test_usage() -> None:
    sums = {"calls": 3, "prompt_tokens": 5, "cached_tokens": 0, "completion_tokens": 7}
    group = sums | {"cpu_us": 1, "gpu_us": 0, "cost": "0.25"}
    report = UsageReport.model_validate(
        {
            "since": datetime(2026, 1, 2, tzinfo=UTC),
            "by": ["model"],
            "groups": [group | {"model": EVIL}],
            "total": group,
        }
    )
    seen = read(report._repr_html_())
    assert "since 2026-01-02" in seen.words
    assert EVIL in seen.words
    assert seen.words.count("0.25") == 2


def test_meters_and_maps() -> None:
    with (
        serving(TaskServer().answer) as server,
        Client(server.url) as client,
        client.meter() as meter,
    ):
        out = client.classify.map([EVIL, "", "good"], labels=["a", "b"], on_error="return")
    seen = read(out._repr_html_())
    assert "text is empty" in seen.words
    assert "<script>" in seen.words
    assert "classify" in read(meter._repr_html_()).words


def test_long_maps_are_cut() -> None:
    items = [MapItem(at, "x", answer=[0.5]) for at in range(50)]
    out = MapResult(items, Sums(), task="embed", row=lambda vector: {"embedding": vector})
    assert "and 30 more" in read(out._repr_html_()).words


def test_a_client_is_a_card() -> None:
    models = answers.models(id=EVIL, kernels="native")
    health = {"status": "ok", "version": "1.2"}

    def answer(exchange: Any) -> None:
        exchange.answer(health if "health" in exchange.path else models)

    with serving(answer) as server, Client(server.url, "s3cret") as client:
        seen = read(client._repr_html_())
        url = server.url
    assert url in seen.words
    assert "server 1.2" in seen.words
    assert EVIL in seen.words
    assert "s3cret" not in client._repr_html_()
    assert "the client is closed" in read(client._repr_html_()).words
    with Client(url, max_retries=5) as gone:
        assert "nothing listens" in read(gone._repr_html_()).words


def test_what_has_no_picture() -> None:
    assert Classification.model_validate(answers.classify()["results"][0])._repr_html_()
    assert classified().usage._repr_html_() is None


def test_markup_is_made_in_one_place() -> None:
    assert text(EVIL) == (
        "&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=&#x27;steal()&#x27;&gt;"
        "&quot; onmouseover=&quot;x"
    )
    assert tag("p", text("<"), title='"', klass="a b") == '<p title="&quot;" class="a b">&lt;</p>'


def test_reprs_are_short_and_say_what_matters() -> None:
    body = answers.embed() | {"embeddings": [[0.5] * 384] * 100}
    result = EmbedResult.model_validate(body)
    assert repr(result).startswith("EmbedResult(id='req-1', model='tiny'")
    assert len(repr(result)) < 500
    long = ChatResult.model_validate(answers.chat("x" * 10_000))
    assert len(repr(long)) < 600
    assert "cost" not in repr(long), "what is as usual is left out"


@pytest.mark.parametrize("name", ["CreatedKey", "CreatedInvitation"])
def test_secrets_are_in_no_repr(name: str) -> None:
    import llmaas_client

    kind = getattr(llmaas_client, name)
    hidden = [key for key, field in kind.model_fields.items() if not field.repr]
    assert hidden
    made = kind.model_construct(**dict.fromkeys(kind.model_fields, "s3cret-value"))
    shown = dict(made.__repr_args__())
    assert not set(hidden) & set(shown)


def test_errors_are_not_pictures() -> None:
    assert not hasattr(errors.LLMaaSError("x"), "_repr_html_")
