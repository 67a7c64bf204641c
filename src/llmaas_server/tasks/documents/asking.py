"""The question with the passages that it is to be answered from. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from llmaas_client.wire.messages import Message
from llmaas_server.tasks.text import words

_GIVEN = (
    "Answer from these passages of the documents. Where they do not say it, say that the documents "
    "do not say it.\n\n{passages}\n\n{question}"
)
_GIVEN_ZH = (
    "请根据以下文档片段回答。如果片段中没有答案，请说明文档中没有提到。\n\n{passages}\n\n{question}"
)
_NOTHING = (
    "(The documents say nothing about this. Where an answer would need them, say that they do not "
    "say it.)\n\n{question}"
)
_NOTHING_ZH = "（文档中没有相关内容。如果回答需要文档，请说明文档中没有提到。）\n\n{question}"


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
