"""What the fake backend says where a request asks for something of its own."""

from __future__ import annotations

import pytest

from llmaas_client.wire.chat import ChatRequest, ChoiceFormat, JsonFormat, Message
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
