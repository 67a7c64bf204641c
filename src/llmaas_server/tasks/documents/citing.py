"""What the sentences of an answer rest on, as results have it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from llmaas_client.wire.documents import Document
from llmaas_server.runtime.interface import Floats
from llmaas_server.tasks.grounding.evidence import Grounds
from llmaas_server.tasks.grounding.judgement import judge
from llmaas_server.tasks.text.sentences import Span, split
from llmaas_server.tasks.text.sources import Source

_THEM = r"\b(?:documents?|passages?|texts?)\b"
_TELL = r"(?:say|state|mention|tell|contain|cover|provide|specify|give|answer|include|have)"
_ABSENCE = re.compile(
    rf"{_THEM}(?: \w+){{0,2}} (?:(?:do|does|did|could)(?: not|n['’]t)|cannot|never)\b"
    rf"[^.!?]{{0,15}}\b{_TELL}\b"
    rf"|{_THEM}(?: \w+){{0,2}} (?:{_TELL}s?|has) (?:no|nothing)\b"
    r"|\bnot\b(?: \w+)? (?:said|stated|mentioned|given|specified|provided|there|found|included)\b"
    rf"(?: \w+)? (?:in|by|anywhere in) (?:the|these|your) {_THEM}"
    r"|(?:文档|文件|片段|文本)[^。！？]{0,10}(?:没有|未|不)[^。！？]{0,6}(?:提|说|答|包含|相关|涉及)",
    re.IGNORECASE,
)

NOTHING_GIVEN = "no passage of the documents was given"


def sentences_of_answer(answer: str) -> list[Span]:
    """Sentences that claim something, without the white space after them.

    Questions do not, nor do those that say that the documents say nothing.
    """
    spans = (
        Span(one.start, one.start + len(answer[one.start : one.end].rstrip()))
        for one in split(answer)
    )
    return [one for one in spans if _claims(answer[one.start : one.end])]


def _claims(sentence: str) -> bool:
    return not sentence.endswith(("?", "？")) and _ABSENCE.search(sentence) is None


def cited(
    answer: str,
    sentences: Sequence[Span],
    vectors: Floats,
    grounds: Grounds,
    documents: Sequence[Document],
) -> dict[str, Any]:
    """`citations` and `unsupported`. `vectors` are those of the sentences."""
    texts = [answer[one.start : one.end] for one in sentences]
    judged = judge(texts, vectors, grounds)
    return {
        "citations": [
            {
                **span(source, documents),
                "answer_start": one.start,
                "answer_end": one.end,
                "support": grounded.support,
            }
            for one, grounded in zip(sentences, judged, strict=True)
            if grounded.supported
            for source in grounded.sources
        ],
        "unsupported": list(
            _unsupported(answer, zip(sentences, (one.reasons for one in judged), strict=True))
        ),
    }


def uncited(answer: str, sentences: Sequence[Span]) -> dict[str, Any]:
    """The same where there is nothing that could be cited."""
    return {
        "citations": [],
        "unsupported": list(_unsupported(answer, ((one, (NOTHING_GIVEN,)) for one in sentences))),
    }


def span(source: Source, documents: Sequence[Document]) -> dict[str, Any]:
    """A span of a document as results have it."""
    texts = [document.text for document in documents]
    seen = source.visible(texts)
    return {**seen.wire(), "id": documents[seen.document].id, "text": seen.text(texts)}


def _unsupported(answer: str, judged: Any) -> Iterator[dict[str, Any]]:
    for one, reasons in judged:
        if reasons:
            yield {
                "answer_start": one.start,
                "answer_end": one.end,
                "text": answer[one.start : one.end],
                "reasons": list(reasons),
            }
