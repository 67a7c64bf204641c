"""What the fake backend answers: made up, the same every time, in the shape of real results.

Pure. Tokens are words between spaces.
"""

from __future__ import annotations

import hashlib
import math
import re
from typing import Any

from llmaas_client.wire.base import TaskRequest
from llmaas_client.wire.chat import ChatRequest
from llmaas_client.wire.classifiers import ClassifierCreate, pairs_of
from llmaas_client.wire.classify import ClassifyRequest
from llmaas_client.wire.complete import CompleteRequest
from llmaas_client.wire.decide import DecideRequest, Hold
from llmaas_client.wire.embed import EmbedRequest
from llmaas_client.wire.summarize import SummarizeRequest
from llmaas_server.errors import context_overflow
from llmaas_server.seam.values import Call, Delta

from . import fake_chat, fake_explanations, fake_heads
from .fake_answer import Answer

_DIMENSIONS = 16
_SENTENCE = re.compile(r"\S.*?(?:[.!?](?=\s|$)|[。！？]|$)", re.DOTALL)
_SENTENCES = {"short": 2, "medium": 4, "long": 8}


def answer(request: TaskRequest, context: int, call: Call | None = None) -> Answer:
    """The answer to the request of any task; `call` is where it came from, if from one.

    Raises Problem `context_overflow`, `unsupported_parameter`.
    """
    match request:
        case ChatRequest():
            return fake_chat.chat(request, context)
        case CompleteRequest():
            return fake_chat.complete(request, context)
        case DecideRequest():
            return _decide(request, context)
        case ClassifyRequest():
            return _classify(request, context, call)
        case SummarizeRequest():
            return _summarize(request)
        case EmbedRequest():
            return _embed(request, context)
        case ClassifierCreate() if call is not None:
            tokens = _read([text for text, _ in pairs_of(request.examples)], context)
            return Answer(tokens, {"head": fake_heads.train(request, call.model, _vector)})
    raise TypeError(f"no fake answer for {type(request).__name__}")


# --- classify -----------------------------------------------------------------------------------


def _classify(request: ClassifyRequest, context: int, call: Call | None) -> Answer:
    """The more words of a label are in the text, the higher its score."""
    texts = _list(request.text)
    body: dict[str, Any] = {"method": "embedding"}
    if call is not None and call.attached is not None:
        body = {"method": "classifier", "classifier": request.classifier}

    def judge(text: str) -> dict[str, float]:
        return _shared(_raw_scores(request, call, text), request.multi)

    def answer(text: str) -> dict[str, Any]:
        return _classification(judge(text), request)

    results = [answer(text) for text in texts]
    for text, result in zip(texts, results, strict=True):
        if request.explain is not None:
            result["explanation"] = fake_explanations.explain(text, request.explain, judge, answer)
        if request.view is not None:
            result["attention"] = fake_explanations.attention(text)
    beside = sum(fake_explanations.tokens(request, text) for text in texts)
    return Answer(_read(texts, context) + beside, body | {"results": results})


def _raw_scores(request: ClassifyRequest, call: Call | None, text: str) -> dict[str, float]:
    if call is not None and call.attached is not None:
        return fake_heads.judge(call.attached.content or b"", text, _vector)
    names = request.labels if request.labels is not None else ["negative", "positive"]
    labels = names if isinstance(names, dict) else {name: name for name in names}
    return {label: _likeness(text, described) for label, described in labels.items()}


def _shared(scores: dict[str, float], multi: bool) -> dict[str, float]:
    """Scores that sum to 1, unless labels are judged alone."""
    whole = 1.0 if multi else sum(scores.values())
    return {label: score / whole for label, score in scores.items()}


def _classification(scores: dict[str, float], request: ClassifyRequest) -> dict[str, Any]:
    ranked = sorted(scores, key=lambda label: -scores[label])
    default = 0.5 if request.multi else 0.0
    threshold = default if request.threshold is None else request.threshold
    candidates = ranked if request.multi else ranked[:1]
    holding = [label for label in candidates if scores[label] >= threshold]
    return {
        "label": holding[0] if holding else None,
        "score": scores[ranked[0]],
        "labels": holding,
        "scores": [{"label": label, "score": scores[label]} for label in ranked[: request.top_k]],
        "abstained": not holding,
    }


def _likeness(text: str, label: str) -> float:
    """Between 0 and 1, never either; the hash tells labels apart that share no word."""
    said = set(re.findall(r"\w+", text.lower()))
    words = re.findall(r"\w+", label.lower())
    shared = sum(word in said for word in words) / max(len(words), 1)
    return 0.1 + 0.8 * shared + 0.09 * _fractions(f"{text}\n{label}")[0]


def _decide(request: DecideRequest, context: int) -> Answer:
    """As classify judges the labels, or the statement alone."""
    decisions: list[dict[str, Any]] = []
    for question in request.questions:
        if isinstance(question, Hold):
            scores = [_likeness(request.text, question.statement)]
        else:
            named = question.labels
            words = named.values() if isinstance(named, dict) else named
            raw = {label: _likeness(request.text, label) for label in words}
            scores = list(_shared(raw, multi=False).values())
        decisions.append({"scores": scores, "method": "embedding", "calibration": "none"})
    return Answer(_read([request.text], context), {"decisions": decisions})


# --- summarize ----------------------------------------------------------------------------------


def _summarize(request: SummarizeRequest) -> Answer:
    """The first sentences, as they are."""
    texts = _list(request.text)
    most = 1 if request.style == "headline" else _SENTENCES[request.length]
    spans = [
        (document, found.start(), found.end())
        for document, text in enumerate(texts)
        for found in _SENTENCE.finditer(text)
    ]
    sentences: list[dict[str, Any]] = []
    words = 0
    for document, start, end in spans[:most]:
        left = math.inf if request.max_words is None else request.max_words - words
        text = _first_words(texts[document][start:end], left)
        if text:
            source = {"start": start, "end": start + len(text), "document": document}
            sentences.append({"text": text, "sources": [source], "support": 1.0, "supported": True})
            words += len(text.split())
    before = "- " if request.style == "bullets" else ""
    between = "\n" if request.style == "bullets" else " "
    pieces = tuple(
        f"{between if number else ''}{before}{sentence['text']}"
        for number, sentence in enumerate(sentences)
    )
    body = {
        "summary": "".join(pieces),
        "sentences": sentences,
        "coverage": 1.0,
        "method": "extractive",
        "words": words,
        "unsupported": 0,
    }
    return Answer(sum(len(text.split()) for text in texts), body, tuple(map(Delta, pieces)))


def _first_words(sentence: str, most: float) -> str:
    ends = [found.end() for found in re.finditer(r"\S+", sentence)]
    return sentence if len(ends) <= most else sentence[: ends[int(most) - 1] if most else 0]


# --- embed --------------------------------------------------------------------------------------


def _embed(request: EmbedRequest, context: int) -> Answer:
    """The sum of the vectors of the words: texts with words in common are near each other."""
    texts = _list(request.text)
    return Answer(_read(texts, context), {"embeddings": [_vector(text) for text in texts]})


def _vector(text: str) -> list[float]:
    words = [_fractions(word) for word in text.lower().split()]
    sums = [sum(numbers) - len(words) / 2 for numbers in zip(*words, strict=True)]
    length = math.hypot(*sums)
    return [number / length for number in sums]


# --- all ----------------------------------------------------------------------------------------


def _list(text: str | list[str]) -> list[str]:
    return [text] if isinstance(text, str) else text


def _read(texts: list[str], context: int) -> int:
    """Tokens of texts that must each fit into the context."""
    lengths = [len(text.split()) for text in texts]
    if max(lengths) > context:
        raise context_overflow(max(lengths), context, "a text")
    return sum(lengths)


def _fractions(text: str) -> list[float]:
    """`_DIMENSIONS` numbers from 0 to 1 that depend on nothing but the text."""
    digest = hashlib.blake2b(text.encode(), digest_size=_DIMENSIONS).digest()
    return [byte / 255 for byte in digest]
