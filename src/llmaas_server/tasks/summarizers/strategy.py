"""Which way a source comes before the model that writes: whole where it fits; else in an excerpt,
or, for books and without sentence vectors, in parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from llmaas_client.wire.summarize import SummarizeRequest
from llmaas_server.errors import Problem
from llmaas_server.runtime.interface import Model
from llmaas_server.tasks.text.sources import Source, sentences_of

from .excerpt import Excerpt
from .extractive import ExtractivePrompt
from .hierarchy import Hierarchical
from .parts import lengths_of, split_source
from .prompts import Brief, rendered
from .reading import Page, Reading, Whole
from .shape import Shape, documents_of
from .writers import Writer, reader_for, writer_for

PART_SHAPE = Shape(sentences=4)
"""The form of the summary of a part."""

BOOK = 20
"""Excerpts. What would fill more of them is a book: one excerpt has too little of it."""

FOCUSED = 4
"""Sentences of the source for one of the summary, where they are picked for a model that cannot be
told what the summary is to be about."""


def reading_of(
    request: SummarizeRequest, model: Model, brief: Brief, source: ExtractivePrompt | None
) -> Reading:
    """`source` is there where there are sentence vectors.

    Raises Problem `unsupported_parameter` for what takes them, where there are none.
    """
    documents = documents_of(request)
    writer = writer_for(model, brief)
    _refuse(request, writer, vectors=source is not None)
    sentences = source.sentences if source is not None else tuple(sentences_of(documents))
    lengths = tuple(lengths_of(sentences, documents, model.tokenizer))
    if source is not None and brief.focus is not None and not writer.instructed:
        return Excerpt(source, lengths, writer, FOCUSED * brief.shape.sentences)
    if sum(lengths) <= writer.room and (whole := _whole(documents, writer)) is not None:
        return whole
    picking = reader_for(model, brief)
    is_book = sum(lengths) > BOOK * picking.room
    picks = request.strategy == "extract" or (request.strategy == "auto" and not is_book)
    if source is not None and picks:
        return Excerpt(source, lengths, picking)
    reader = reader_for(model, replace(brief, shape=PART_SHAPE))
    parts = split_source(documents, reader, model.tokenizer)
    return Hierarchical(tuple(parts), reader, writer)


def _whole(documents: Sequence[str], writer: Writer) -> Whole | None:
    """None where the tokens of the whole are more than those of its sentences, and too many."""
    sources = tuple(Source(index, 0, len(document)) for index, document in enumerate(documents))
    named = len(documents) > 1 and writer.instructed
    text = rendered(sources, documents, named=named)
    ids = writer.prompt(text)
    return Whole(writer, Page(text, ids, sources)) if writer.fits(ids) else None


def _refuse(request: SummarizeRequest, writer: Writer, *, vectors: bool) -> None:
    picked_for = request.focus is not None and not writer.instructed
    if picked_for and request.strategy == "hierarchical":
        raise Problem(
            "unsupported_parameter",
            "an encoder-decoder cannot be told a focus, and strategy=hierarchical reads all",
            hint="Leave `strategy` out: the sentences on the focus are then picked for it.",
            param="focus",
        )
    asked = {"strategy": request.strategy == "extract", "strict": request.strict}
    for name, takes in {**asked, "focus": picked_for}.items():
        if takes and not vectors:
            raise Problem(
                "unsupported_parameter",
                f"{name} takes sentence vectors here, and no embedding model is at hand",
                hint="Pull the default of embed: `llmaas models pull all-minilm-l6-v2`.",
                param=name,
            )
