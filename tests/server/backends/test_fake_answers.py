"""What the fake backend says where a request asks for something of its own."""

from __future__ import annotations

from typing import Any

import pytest

from llmaas_client.wire.chat import ChatRequest, ChoiceFormat, JsonFormat, Message
from llmaas_client.wire.classify import ClassifyRequest
from llmaas_server.backends.fake_answers import answer
from llmaas_server.errors import Problem


def test_ignore_eos_says_the_words_again_up_to_max_tokens() -> None:
    words = [Message(role="user", content="one two three")]
    short = answer(ChatRequest(messages=words, max_tokens=7), 100)
    assert (short.completion_tokens, short.body["finish_reason"]) == (3, "stop")
    long = answer(ChatRequest(messages=words, max_tokens=7, ignore_eos=True), 100)
    assert (long.completion_tokens, long.body["finish_reason"]) == (7, "length")
    assert "".join(long.pieces) == "one two three one two three one "


def test_the_first_choice_is_said() -> None:
    words = [Message(role="user", content="one two three")]
    wanted = ChoiceFormat(choices=["a b\n c", "d"])
    said = answer(ChatRequest(messages=words, response_format=wanted), 100)
    assert said.body["message"]["content"] == "".join(said.pieces) == "a b\n c"


def test_any_other_format_is_refused_by_name() -> None:
    words = [Message(role="user", content="one two three")]
    with pytest.raises(Problem) as caught:
        answer(ChatRequest(messages=words, response_format=JsonFormat()), 100)
    assert (caught.value.code, caught.value.param) == ("unsupported_parameter", "response_format")


EXPLAINED = {"text": "a match and a bank", "labels": ["match", "river bank"]}


def explained(**more: Any) -> dict[str, Any]:
    request = ClassifyRequest.model_validate({**EXPLAINED, "explain": True, **more})
    return answer(request, 100).body["results"][0]["explanation"]  # type: ignore[no-any-return]


def test_an_explanation_is_of_the_made_up_scores() -> None:
    explanation = explained()
    scores = {word["text"]: word["score"] for word in explanation["words"]}
    assert max(scores, key=scores.__getitem__) == "match"
    assert explanation == explained()
    flip = explanation["flip"]
    assert flip is not None
    again = ClassifyRequest.model_validate(EXPLAINED | {"text": flip["text"]})
    found = answer(again, 100).body["results"][0]
    assert (found["label"], found["score"]) == (flip["label"], flip["score"])


def test_what_is_read_to_explain_is_counted() -> None:
    plain = answer(ClassifyRequest.model_validate(EXPLAINED), 100)
    rich = answer(ClassifyRequest.model_validate(EXPLAINED | {"explain": True}), 100)
    assert (plain.prompt_tokens, rich.prompt_tokens) == (5, 5 + 5 * 4)
    assert "explanation" not in plain.body["results"][0]


@pytest.mark.parametrize(
    ("explain", "method", "gradients"),
    [
        (True, "occlusion", True),
        ("occlusion", "occlusion", False),
        ("integrated_gradients", "integrated_gradients", True),
    ],
)
def test_methods(explain: Any, method: str, gradients: bool) -> None:
    explanation = explained(explain=explain)
    assert explanation["method"] == method
    assert ("gradients" in explanation) is gradients


def test_explaining_one_word() -> None:
    explanation = explained(text="match")
    assert [word["text"] for word in explanation["words"]] == ["match"]
    assert explanation["flip"] is None


def test_a_label_that_is_none_is_refused() -> None:
    with pytest.raises(Problem) as caught:
        explained(explain={"label": "sea"})
    assert caught.value.param == "explain.label"


def test_the_view_of_one_head() -> None:
    request = ClassifyRequest.model_validate(EXPLAINED | {"view": "attention"})
    view = answer(request, 100).body["results"][0]["attention"]
    assert (view["layers"], view["heads"], len(view["tokens"])) == (1, 1, 5)
    long = ClassifyRequest.model_validate(EXPLAINED | {"text": "a " * 800, "view": "attention"})
    with pytest.raises(Problem) as caught:
        answer(long, 1000)
    assert caught.value.param == "view"
