"""Which result has which picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llmaas_client.wire.chat import ChatResult
from llmaas_client.wire.classify import Classification, ClassifyResult
from llmaas_client.wire.embed import EmbedResult
from llmaas_client.wire.messages import Message, ReplyMessage
from llmaas_client.wire.summarize import SummarizeResult
from llmaas_client.wire.usage import UsageReport

from . import classification, others, summary, sums, talk

PICTURES: dict[type, Callable[[Any], str]] = {
    ClassifyResult: classification.classify_result,
    Classification: classification.classification,
    SummarizeResult: summary.summarize_result,
    ChatResult: talk.chat_result,
    Message: talk.message,
    ReplyMessage: talk.message,
    EmbedResult: others.embed_result,
    UsageReport: sums.usage_report,
}
