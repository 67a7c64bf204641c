"""A source in parts that fit a prompt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llmaas_server.runtime.interface import Tokenizer
from llmaas_server.tasks.text.sources import Source, merge, sentences_of

from .prompts import rendered
from .writers import Writer


@dataclass(frozen=True, slots=True)
class Part:
    """Spans that one prompt holds; all parts together hold every character of the source."""

    sources: tuple[Source, ...]
    prompt: tuple[int, ...]
    name: str = ""
    """What stands before its summary where summaries are merged: of which document it is."""


def split_source(documents: Sequence[str], writer: Writer, tokenizer: Tokenizer) -> list[Part]:
    """As few parts as will do, of like length, with borders between sentences where they can be."""
    sentences = sentences_of(documents)
    lengths = lengths_of(sentences, documents, tokenizer)
    total = sum(lengths)
    count = max(1, -(-total // writer.room))
    parts: list[Part] = []
    group: list[Source] = []
    tokens = 0
    for sentence, length in zip(sentences, lengths, strict=True):
        if group and (tokens + length > writer.room or tokens >= total / count):
            parts.extend(_fitting(group, documents, writer))
            group, tokens = [], 0
        group.append(sentence)
        tokens += length
    parts.extend(_fitting(group, documents, writer))
    return parts


def lengths_of(
    sentences: Sequence[Source], documents: Sequence[str], tokenizer: Tokenizer
) -> list[int]:
    """Tokens of each."""
    return [
        len(tokenizer.encode(sentence.text(documents), special=False)) for sentence in sentences
    ]


def _fitting(group: list[Source], documents: Sequence[str], writer: Writer) -> Iterator[Part]:
    """One part of `group`, or several where its tokens together are more than those of each."""
    sources = merge(group)
    named = len(documents) > 1 and writer.instructed
    prompt = writer.prompt(rendered(sources, documents, named=named))
    if writer.fits(prompt):
        alone = named and sources[0].document == sources[-1].document
        name = f"Document {sources[0].document + 1}: " if alone else ""
        yield Part(tuple(sources), prompt, name)
        return
    halves = [group[: len(group) // 2], group[len(group) // 2 :]]
    if len(group) == 1:
        halves = [[half] for half in _halve(group[0], documents)]
    for half in halves:
        yield from _fitting(half, documents, writer)


def _halve(sentence: Source, documents: Sequence[str]) -> tuple[Source, Source]:
    """A sentence longer than a prompt, cut at a space near its middle or, without one, there."""
    text = sentence.text(documents).rstrip()
    middle = len(text) // 2
    space = text.rfind(" ", len(text) // 4, middle)
    border = sentence.start + (space + 1 if space >= 0 else middle)
    return (
        Source(sentence.document, sentence.start, border),
        Source(sentence.document, border, sentence.end),
    )
