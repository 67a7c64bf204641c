"""A server in the shape of OpenAI's, which says as many words as it is asked for."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from support.http_server import Exchange


@dataclass
class OpenAIServer:
    """A handler for `http_server.serving`. A prompt of n words has n + `fixed` tokens."""

    fixed: int = 9
    counts: bool = True
    """Whether answers say how many tokens they took."""
    knows_ignore_eos: bool = True
    marks_the_end: bool = True
    key: str | None = None
    model: dict[str, str] = field(default_factory=lambda: {"id": "words", "object": "model"})
    """Its only one, as the list has it."""

    def __call__(self, exchange: Exchange) -> None:
        if self.key is not None and exchange.headers.get("authorization") != f"Bearer {self.key}":
            self._refuse(exchange, "401 Unauthorized", "invalid_api_key", "Incorrect API key")
            return
        match exchange.path:
            case "/v1/models":
                exchange.answer({"object": "list", "data": [self.model]})
            case "/v1/chat/completions":
                self._chat(exchange)
            case "/v1/embeddings":
                texts = exchange.json["input"]
                tokens = sum(len(text.split()) for text in texts)
                exchange.answer({"data": [], "usage": {"prompt_tokens": tokens}})
            case _:
                self._refuse(exchange, "404 Not Found", None, "no such route")

    def _chat(self, exchange: Exchange) -> None:
        request = exchange.json
        if "ignore_eos" in request and not self.knows_ignore_eos:
            text = "Unrecognized request argument supplied: ignore_eos"
            self._refuse(exchange, "400 Bad Request", "unknown_parameter", text)
            return
        exchange.start_stream()
        self._send(exchange, {"choices": [{"delta": {"role": "assistant", "content": ""}}]})
        for number in range(request["max_tokens"]):
            self._send(exchange, {"choices": [{"delta": {"content": f"word{number} "}}]})
        self._send(exchange, {"choices": [{"delta": {}, "finish_reason": "length"}]})
        if self.counts:
            words = sum(len(message["content"].split()) for message in request["messages"])
            usage = {
                "prompt_tokens": words + self.fixed,
                "completion_tokens": request["max_tokens"],
            }
            self._send(exchange, {"choices": [], "usage": usage})
        if self.marks_the_end:
            exchange.chunk(b"data: [DONE]\n\n")
        exchange.end_stream()

    def _send(self, exchange: Exchange, chunk: Any) -> None:
        exchange.chunk(f"data: {json.dumps(chunk)}\n\n".encode())

    def _refuse(self, exchange: Exchange, status: str, code: str | None, message: str) -> None:
        exchange.answer({"error": {"message": message, "code": code}}, status)
