"""The documents of one call, before anything runs: cut, tokenized and measured. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from llmaas_client.wire.chat import ChatRequest
from llmaas_client.wire.documents import Document
from llmaas_client.wire.messages import Message
from llmaas_server.errors import Problem, context_overflow
from llmaas_server.runtime.interface import Model
from llmaas_server.tasks.text.sources import Source
from llmaas_server.tasks.text.windows import Windows, read

from . import asking, passages

MOST_PASSAGES = 50_000
"""The vectors of all are in memory at once."""
SHORTEST = 32
"""Tokens: with less room for passages there is no point in documents."""
ROOM_SHARE = 2
"""Passages take half of what the context has beside the conversation and the answer, at most …"""
TOKENS_PER_GIVEN = 256
"""… and there is one for each so many tokens of the context."""
CHECKED = 4
"""Tokens of the embedding model for each token of an answer: a bound for what is checked of it."""

Encode = Callable[[Sequence[Message]], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Shelf:
    """What is known before anything runs."""

    documents: tuple[Document, ...]
    messages: tuple[Message, ...]
    spans: tuple[Source, ...]
    """The passages."""
    windows: Windows
    """Their tokens, for the embedding model."""
    questions: Windows
    most_tokens: int
    """Of the prompt, passages and all."""
    most_given: int
    most_checked: int
    """Tokens of the sentences of the answer, and as many of those that it rests on."""
    embedder: Model
    encode: Encode
    """From a conversation to its prompt."""
    cites: bool
    """Whether the answer has sentences."""

    @property
    def texts(self) -> list[str]:
        return [document.text for document in self.documents]

    @property
    def prompt_tokens(self) -> int:
        """Everything that may be read: documents, questions, the prompt, what is checked."""
        longest = max((len(ids) for ids in self.windows.sequences), default=0)
        given = longest * min(self.most_given, len(self.windows.sequences))
        return (
            self.windows.tokens
            + self.questions.tokens
            + self.most_tokens
            + 2 * given
            + self.most_checked
        )


def shelf_of(
    request: ChatRequest,
    model: Model,
    embedder: Model | None,
    encode: Encode,
    answer_tokens: int,
) -> Shelf:
    """Cut and tokenize.

    Raises Problem `context_overflow`, `invalid_request`, `model_not_pulled`.
    """
    if embedder is None:
        raise Problem(
            "model_not_pulled",
            "documents need an embedding model, and this server has none",
            hint="Run `llmaas models pull all-minilm-l6-v2` on the server's machine.",
            param="documents",
        )
    documents = tuple(
        Document(text=one) if isinstance(one, str) else one for one in request.documents or ()
    )
    base = max(
        len(encode(asking.with_passages(request.messages, given))) for given in ([], [(None, "")])
    )
    room = (model.context - base - answer_tokens) // ROOM_SHARE
    if room < SHORTEST:
        raise context_overflow(
            base + answer_tokens + ROOM_SHARE * SHORTEST,
            model.context,
            "the conversation with its answer and a passage",
        )
    texts = [document.text for document in documents]
    titles = [0 if one.title is None else _count(one.title, model) for one in documents]
    longest = min(passages.LONGEST, room - max(titles) - 8)
    if longest < SHORTEST // 2:
        raise Problem(
            "context_overflow",
            f"a title of the documents needs {max(titles)} tokens, and there is room for {room} "
            "with a passage",
            hint="Shorten the titles, or choose a model with a longer context.",
            param="documents",
            needed=model.context + SHORTEST - longest,
            limit=model.context,
        )
    spans = passages.cut(texts, model.tokenizer, longest)
    if len(spans) > MOST_PASSAGES:
        raise Problem(
            "invalid_request",
            f"the documents have {len(spans)} passages, and {MOST_PASSAGES} is the most",
            hint="Send fewer documents.",
            param="documents",
        )
    windows = read(
        (_titled(documents[one.document].title, one.text(texts).strip()) for one in spans),
        embedder.tokenizer,
        embedder.context,
    )
    # With the number and the marks around each.
    all_of_them = sum(
        _count(one.text(texts).strip(), model) + titles[one.document] + 16 for one in spans
    )
    ways = asking.ways_to_ask(request.messages)
    return Shelf(
        documents=documents,
        messages=tuple(request.messages),
        spans=tuple(spans),
        windows=windows,
        questions=read(ways, embedder.tokenizer, embedder.context),
        most_tokens=base + min(room, all_of_them),
        most_given=max(4, min(24, model.context // TOKENS_PER_GIVEN)),
        most_checked=CHECKED * answer_tokens + 64,
        embedder=embedder,
        encode=encode,
        cites=request.response_format is None,
    )


def _titled(title: str | None, text: str) -> str:
    return text if title is None else f"{title}\n{text}"


def _count(text: str, model: Model) -> int:
    return len(model.tokenizer.encode(text, special=False))
