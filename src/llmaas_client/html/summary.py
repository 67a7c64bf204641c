"""A summary with what each sentence rests on: hovered, and listed below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .footer import footer
from .frame import HTML, brief, frame, quiet, tag, text

if TYPE_CHECKING:
    from llmaas_client.wire.summarize import Source, SummarizeResult, SummarySentence

MOST_EVIDENCE = 600
"""Characters of a source that are shown."""


def summarize_result(result: SummarizeResult) -> str:
    sentences: list[HTML] = []
    evidence: list[HTML] = []
    for number, sentence in enumerate(result.sentences, 1):
        sentences.append(_sentence(number, sentence, result.about))
        evidence.append(_evidence(sentence, result.about))
    written = sentences or [text(result.summary)]
    sources = tag(
        "details", tag("summary", text("what it rests on")), tag("ol", *evidence), klass="q"
    )
    notes = [
        result.method,
        f"{result.words} words",
        f"{result.coverage:.0%} of the source was read",
        f"{result.unsupported} sentences are not supported" if result.unsupported else "",
        f"{result.dropped} sentences were left out" if result.dropped else "",
    ]
    return frame(
        tag("div", *written),
        sources if evidence else HTML(""),
        quiet(*notes),
        footer(result),
    )


def _sentence(number: int, sentence: SummarySentence, about: tuple[str, ...]) -> HTML:
    title = "\n".join([*_told(sentence), *(_words(source, about) for source in sentence.sources)])
    doubtful = {"klass": "doubt"} if sentence.supported is False else {}
    mark = tag("sup", text(number))
    return HTML(tag("span", text(sentence.text), mark, title=title, **doubtful) + " ")


def _evidence(sentence: SummarySentence, about: tuple[str, ...]) -> HTML:
    quotes = [
        tag("div", brief(_words(source, about), MOST_EVIDENCE)) for source in sentence.sources
    ]
    return tag("li", quiet(*_told(sentence)), *quotes)


def _told(sentence: SummarySentence) -> list[str]:
    support = "" if sentence.support is None else f"support {sentence.support:.2f}"
    return [line for line in (support, *sentence.reasons) if line]


def _words(source: Source, about: tuple[str, ...]) -> str:
    """The evidence itself, where the client knows the text; else where it lies."""
    place = f"characters {source.start} to {source.end}"
    if source.document < len(about):
        return about[source.document][source.start : source.end]
    return f"document {source.document + 1}, {place}" if source.document else place
