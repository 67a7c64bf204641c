"""What the fake backend says of documents: those that share a word with the question are given
whole, and the answer cites the first of them. Pure."""

from __future__ import annotations

import re
from typing import Any

from llmaas_client.wire.chat import ChatRequest
from llmaas_client.wire.documents import Document

_WORD = re.compile(r"\w+")


def about(request: ChatRequest, answer: str) -> dict[str, Any]:
    """The fields of a result that documents bring; none where there are no documents."""
    if request.documents is None:
        return {}
    question = next(one.text for one in reversed(request.messages) if one.role == "user")
    asked = _words(question)
    scored = [
        (len(asked & _words(document.text)) / max(len(asked), 1), number, document)
        for number, document in enumerate(map(_document, request.documents))
    ]
    near = sorted((one for one in scored if one[0] > 0), key=lambda one: (-one[0], one[1]))
    passages = [{**_span(number, document), "score": score} for score, number, document in near]
    place = {"answer_start": 0, "answer_end": len(answer)}
    return {
        "passages": passages,
        "citations": [
            {**_span(number, document), **place, "support": score}
            for score, number, document in near[: 1 if answer else 0]
        ],
        "unsupported": []
        if near or not answer
        else [{**place, "text": answer, "reasons": ["no passage of the documents was given"]}],
    }


def words_of(request: ChatRequest) -> int:
    """The fake's tokens of all documents."""
    return sum(len(_document(one).text.split()) for one in request.documents or ())


def _document(one: str | Document) -> Document:
    return Document(text=one) if isinstance(one, str) else one


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))


def _span(number: int, document: Document) -> dict[str, Any]:
    text = document.text
    return {"document": number, "id": document.id, "start": 0, "end": len(text), "text": text}
