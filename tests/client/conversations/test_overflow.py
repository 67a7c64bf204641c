"""What a session does with a history beyond the context, against a server that counts words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llmaas_client import errors
from support import answers
from support.clients import KINDS, Kind
from support.talking import calls, talking

LIMIT = 40


def counting(asked: dict[str, Any]) -> dict[str, Any]:
    """Tokens are words; an answer takes what max_tokens says, or one."""
    if "text" in asked:
        return answers.summarize("We spoke of cats.")
    prompt = sum(len((m.get("content") or "").split()) for m in asked["messages"])
    needed = prompt + (asked.get("max_tokens") or 1)
    if needed > LIMIT:
        return answers.error("context_overflow", "too long", needed=needed, limit=LIMIT)
    usage = {"prompt_tokens": prompt, "cached_tokens": 0, "completion_tokens": 5}
    return answers.chat("five words are my answer") | {"usage": usage}


TEN = " ".join(["word"] * 10)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_is_the_default(kind: Kind) -> None:
    with talking(kind, counting) as (either, _):
        talk = either.client.chat.session(max_tokens=5)
        either.get(talk.send(TEN))
        either.get(talk.send(TEN))
        with pytest.raises(errors.ContextOverflow) as caught:
            either.get(talk.send(TEN))
        assert (caught.value.needed, caught.value.limit) == (45, LIMIT)
        assert len(talk) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_the_oldest_are_dropped_whole_and_counted(kind: Kind) -> None:
    with talking(kind, counting) as (either, script):
        talk = either.client.chat.session(system="sys", overflow="drop_oldest", max_tokens=5)
        assert either.get(talk.send(TEN)).overflow is None
        either.get(talk.send(TEN))
        _, reply = either.streamed(talk.stream(TEN))
        assert reply.overflow.policy == "drop_oldest"
        assert list(reply.overflow.turns) == [0]
        assert reply.overflow.tokens == 15
        assert [m.content for m in reply.overflow.messages] == [TEN, "five words are my answer"]
        assert talk.dropped == reply.overflow.messages
        assert len(talk) == 3
        assert script.said() == ["sys", TEN, "five words are my answer", TEN]
        # Taking the turn back brings back what it had left out.
        talk.undo()
        assert talk.dropped == ()
        assert len(talk.messages) == 5


def test_what_was_dropped_stays_dropped(tmp_path: Path) -> None:
    with talking("sync", counting) as (either, script):
        talk = either.client.chat.session(overflow="drop_oldest", max_tokens=5)
        for _ in range(3):
            talk.send(TEN)
        talk.save(tmp_path / "talk")
        again = either.client.chat.session.load(tmp_path / "talk")
        assert again.dropped == talk.dropped != ()
        assert again.messages == talk.messages
        reply = again.send("short")
        assert reply.overflow is None
        assert script.said()[0] == TEN


@pytest.mark.parametrize("kind", KINDS)
def test_the_oldest_are_summarized(kind: Kind) -> None:
    with talking(kind, counting) as (either, script):
        talk = either.client.chat.session(overflow="summarize_oldest", max_tokens=5)
        either.get(talk.send(f"cats {TEN}"))
        either.get(talk.send(TEN))
        reply = either.get(talk.send("and now?"))
        assert reply.overflow is None
        reply = either.get(talk.send(TEN))
    assert reply.overflow.summary == "We spoke of cats." == talk.summary
    assert reply.overflow.policy == "summarize_oldest"
    assert reply.overflow.usage.prompt_tokens == 5
    summarized = [body for path, body in script.requests if path.endswith("/summarize")]
    assert summarized[0]["text"].startswith("User: cats word")
    assert "Assistant: five words" in summarized[0]["text"]
    first = next(message for message in script.chats()[-1]["messages"])
    assert first["role"] == "user"
    assert "We spoke of cats." in first["content"]
    assert not first["content"].endswith("We spoke of cats.)")


def test_a_summary_that_cannot_be_made_is_said() -> None:
    def unwilling(asked: dict[str, Any]) -> dict[str, Any]:
        if "text" in asked:
            return answers.error("invalid_request", "no sentence is short enough")
        return counting(asked)

    with talking("sync", unwilling) as (either, _):
        talk = either.client.chat.session(overflow="summarize_oldest", max_tokens=5)
        for _ in range(2):
            talk.send(TEN)
        reply = talk.send(TEN)
    assert reply.overflow is not None
    assert reply.overflow.summary is None
    assert reply.overflow.note == "no summary was made: no sentence is short enough"


@pytest.mark.parametrize("policy", ["drop_oldest", "summarize_oldest"])
def test_a_message_that_fits_nowhere_is_an_error(policy: Any) -> None:
    with talking("sync", counting) as (either, _):
        talk = either.client.chat.session(overflow=policy, max_tokens=5)
        talk.send(TEN)
        before = talk.turns
        with pytest.raises(errors.ContextOverflow):
            talk.send(" ".join(["word"] * 60))
        assert talk.turns == before
        assert talk.dropped == ()


def test_room_is_kept_for_an_answer() -> None:
    """Without max_tokens: 512, and a quarter of a context that is smaller."""
    with talking("sync", counting) as (either, script):
        talk = either.client.chat.session(overflow="drop_oldest")
        talk.send(TEN)
        assert [body["max_tokens"] for body in script.chats()] == [512, 10]


def test_calls_and_what_they_brought_go_together() -> None:
    def look_up(word: str) -> str:
        """Look a word up."""
        return "found"

    first = calls(("look_up", {"word": "cat"}))
    with talking("sync", first, answers.chat("done"), counting) as (either, script):
        talk = either.client.chat.session(overflow="drop_oldest", max_tokens=5, tools=[look_up])
        talk.send(" ".join(["word"] * 20))
        reply = talk.send(" ".join(["word"] * 30))
    assert [message.role for message in reply.overflow.messages] == [
        "user", "assistant", "tool", "assistant",
    ]  # fmt: skip
    assert [message["role"] for message in script.chats()[-1]["messages"]] == ["user"]
