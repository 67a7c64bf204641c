"""The question with the passages that it is to be answered from. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from llmaas_client.wire.messages import Message
from llmaas_server.tasks.text import words

_GIVEN = (
    "{passages}\n\nAnswer the question from the passages above. If they do not answer it, say so."
    "\n\n{question}"
)
_GIVEN_ZH = "{passages}\n\n请根据以上片段回答问题。如果片段中没有答案，请直接说明。\n\n{question}"
_NOTHING = (
    "(Nothing in the documents is about this. If the answer would have to come from them, say that "
    "it is not there.)\n\n{question}"
)
_NOTHING_ZH = "（文档中没有相关内容。如果回答需要文档，请直接说明。）\n\n{question}"


def question_of(messages: Sequence[Message]) -> int:
    """Where the last message of the user stands."""
    return max(at for at, message in enumerate(messages) if message.role == "user")


def ways_to_ask(messages: Sequence[Message]) -> list[str]:
    """The question, and the question with the one before it: "And how much is it?"."""
    asked = [message.text for message in messages if message.role == "user"]
    return [asked[-1]] if len(asked) == 1 else [asked[-1], f"{asked[-2]}\n{asked[-1]}"]


def with_passages(
    messages: Sequence[Message], passages: Sequence[tuple[str | None, str]]
) -> list[Message]:
    """The conversation, in which the question brings the passages: each a title and a text."""
    at = question_of(messages)
    question = messages[at].text
    chinese = words.is_spaceless(question)
    if passages:
        form = _GIVEN_ZH if chinese else _GIVEN
        told = form.format(passages=_listed(passages), question=question)
    else:
        told = (_NOTHING_ZH if chinese else _NOTHING).format(question=question)
    changed = messages[at].model_copy(update={"content": told})
    return [*messages[:at], changed, *messages[at + 1 :]]


def _listed(passages: Sequence[tuple[str | None, str]]) -> str:
    return "\n\n".join(
        f"[{number}] {'' if title is None else f'{title}: '}{text}"
        for number, (title, text) in enumerate(passages, start=1)
    )
