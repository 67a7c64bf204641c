"""`POST /v1/decisions`: predicates, choices and scores."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from llmaas_client.wire.decide import Choose, DecideRequest, Hold
from llmaas_client.wire.validation import explain
from llmaas_server.api.translated import Told
from llmaas_server.compat.openai.decisions import Decisions, DecisionsBody
from llmaas_server.seam.values import Result, Timing, Usage

TOLD = Told("req_0123", "some-model", 1_700_000_000)
PREDICATE = {"type": "predicate", "name": "angry", "instructions": "The customer is angry."}
CHOICE = {
    "type": "choice",
    "instructions": [{"type": "input_text", "text": "What is it about?"}],
    "choices": [{"value": "billing", "description": "being charged"}, {"value": "art"}],
}
YES_OR_NO = {
    "type": "choice",
    "instructions": "Is it urgent?",
    "choices": [{"value": True}, {"value": False}],
}
SCORE = {
    "type": "score",
    "name": None,
    "instructions": "How urgent is it?",
    "levels": [{"label": "calm"}, {"label": "soon"}, {"label": "now"}],
}
ALL = [PREDICATE, CHOICE, YES_OR_NO, SCORE]


def body(*questions: Any, **fields: Any) -> DecisionsBody:
    asked = {"model": "m", "input": "a", "questions": questions, **fields}
    return DecisionsBody.model_validate_json(json.dumps(asked))


def test_questions_are_ours() -> None:
    request = Decisions().read(body(*ALL))
    assert isinstance(request, DecideRequest)
    assert request.questions == [
        Hold(statement="The customer is angry."),
        Choose(question="What is it about?", labels={"billing": "being charged", "art": "art"}),
        Choose(question="Is it urgent?", labels=["yes", "no"]),
        Choose(question="How urgent is it?", labels=["calm", "soon", "now"]),
    ]


def test_a_conversation_is_one_text() -> None:
    given = [
        {"role": "user", "content": [{"type": "input_json", "data": {"order": 7}}]},
        {"type": "function_call", "call_id": "1", "name": "find", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "1", "output": "nothing"},
    ]
    request = Decisions().read(body(PREDICATE, input=given))
    assert isinstance(request, DecideRequest)
    assert request.text == 'user: {"order": 7}\ncall of find: {}\nresult: nothing'


def test_answers_are_theirs() -> None:
    rows = [[0.9], [0.7, 0.3], [0.2, 0.8], [0.1, 0.2, 0.7]]
    decided = [{"scores": row, "method": "nli", "calibration": "none"} for row in rows]
    made = Result({"decisions": decided}, Usage(12), Timing())
    written = Decisions().write(body(*ALL), TOLD, made).model_dump()
    angry, about, urgent, level = written["answers"]
    assert angry == {"type": "predicate", "name": "angry", "probability": 0.9}
    assert (about["choice"], about["confidence"], about["name"]) == ("billing", 0.7, None)
    assert urgent["choice"] is False
    assert [one["value"] for one in urgent["probabilities"]] == [True, False]
    assert level["score"] == pytest.approx(1.6)
    assert [(one["label"], one["value"]) for one in level["probabilities"]] == [
        ("calm", 0),
        ("soon", 1),
        ("now", 2),
    ]
    assert written["usage"]["input_tokens"] == written["usage"]["total_tokens"] == 12
    assert written["calibration"] == "none"


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ({**PREDICATE, "type": "essay"}, "invalid_request"),
        ({**PREDICATE, "instructions": ""}, "empty_text"),
        ({**PREDICATE, "choices": []}, "unknown_field"),
        ({**CHOICE, "choices": [{"value": "a"}]}, "invalid_request"),
        ({**CHOICE, "choices": [{"value": "a"}, {"value": "a"}]}, "invalid_request"),
        ({**SCORE, "levels": [{"label": "a"}, {"label": "a"}]}, "invalid_request"),
        ({**PREDICATE, "instructions": [{"type": "input_image"}]}, "unsupported_parameter"),
    ],
)
def test_bad_questions(question: Any, code: str) -> None:
    with pytest.raises(ValidationError) as raised:
        body(question)
    assert explain(raised.value).error.code == code
