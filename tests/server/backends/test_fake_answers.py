"""What the fake backend says where a request asks for something of its own."""

from __future__ import annotations

from llmaas_client.wire.chat import ChatRequest, Message
from llmaas_server.backends.fake_answers import answer


def test_ignore_eos_says_the_words_again_up_to_max_tokens() -> None:
    words = [Message(role="user", content="one two three")]
    short = answer(ChatRequest(messages=words, max_tokens=7), 100)
    assert (short.completion_tokens, short.body["finish_reason"]) == (3, "stop")
    long = answer(ChatRequest(messages=words, max_tokens=7, ignore_eos=True), 100)
    assert (long.completion_tokens, long.body["finish_reason"]) == (7, "length")
    assert "".join(long.pieces) == "one two three one two three one "
