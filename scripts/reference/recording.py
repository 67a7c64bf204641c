"""What is asked of a server for the examples of its API, and what is kept of its answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import httpx

CHAT_MODEL = "smollm2-135m-instruct-q4_1"
EMBEDDER = "all-minilm-l6-v2"
PASSWORD = "correct horse battery staple"
NEW_PASSWORD = "another horse battery staple"

SCHEMAS = ("request_schema", "result_schema")
"""Fields that are long, and stand elsewhere in the same document."""
MOST_ITEMS = 3
MOST_NUMBERS = 4
FIRST_EVENTS, LAST_EVENTS = 4, 2
STREAMED = {"stream": True}
MOST_TEXT = 160
"""Of an example: lists, vectors and files are cut to so much."""

TEXT = (
    "The town library opens again on Monday. Its roof was leaking for years, and is new now. "
    "The opening hours stay as they were."
)
SAY = [{"role": "user", "content": "Name a fruit."}]
CLASSIFY = {"text": "The screen is cracked.", "labels": ["complaint", "praise"]}
SUMMARIZE = {"text": TEXT, "max_words": 20}
CHAT = {"messages": SAY, "max_tokens": 20, "temperature": 0}
EMBED = {"text": ["a fruit", "an apple"]}
EXAMPLES = {
    "question": ["Where is my parcel?", "When do you open?", "How do I pay?", "Is it in stock?"],
    "complaint": ["It came broken.", "Nobody answers.", "This is too slow.", "The box was empty."],
}

Call = tuple[str, str, Any]
"""A method, an address (after `?` what is asked), a request or None."""


def scenario() -> Iterator[Call]:
    """What is asked, in an order in which each finds what it needs: `{accounts}` is the id of the
    account that was there last."""
    yield "GET", "/health/live", None
    yield "GET", "/health/ready", None
    yield "GET", "/v1/tasks", None
    yield "POST", "/v1/pulls", {"model": EMBEDDER}
    yield "GET", "/v1/pulls", None
    yield "POST", "/v1/residents", {"model": CHAT_MODEL}
    yield "POST", "/v1/residents", {"model": EMBEDDER}
    yield "GET", "/v1/models", None
    yield "GET", f"/v1/models/{EMBEDDER}", None
    yield "POST", "/v1/prices", {"model": CHAT_MODEL, "prompt": "0.2", "completion": "0.6"}
    yield "GET", "/v1/prices", None
    for task, body in {
        "classify": CLASSIFY, "summarize": SUMMARIZE, "chat": CHAT, "embed": EMBED,
    }.items():  # fmt: skip
        yield "POST", f"/v1/tasks/{task}", body
        yield "POST", f"/v1/tasks/{task}/price", body
    yield "POST", "/predict", {"text": "I love Python"}
    yield "POST", "/v1/chat/completions", {"model": CHAT_MODEL, **CHAT}
    yield "POST", "/v1/completions", {
        "model": CHAT_MODEL, "prompt": "The capital of France is", "max_tokens": 8,
    }  # fmt: skip
    yield "POST", "/v1/embeddings", {"model": EMBEDDER, "input": ["a fruit", "an apple"]}
    yield "POST", "/v1/responses", {
        "model": CHAT_MODEL, "input": "Name a fruit.", "max_output_tokens": 20, "temperature": 0,
    }  # fmt: skip
    yield (
        "POST",
        "/v1/decisions",
        {
            "model": EMBEDDER,
            "input": "The screen is cracked.",
            "questions": [
                {
                    "type": "choice",
                    "name": "kind",
                    "instructions": "What does the customer send?",
                    "choices": [{"value": "a complaint"}, {"value": "praise"}],
                }
            ],
        },
    )
    yield "POST", "/hf/text-classification", {"inputs": "I love Python"}
    yield "POST", "/hf/zero-shot-classification", {
        "inputs": CLASSIFY["text"], "parameters": {"candidate_labels": CLASSIFY["labels"]},
    }  # fmt: skip
    yield "POST", "/hf/summarization", {"inputs": TEXT}
    yield "POST", "/hf/feature-extraction", {"inputs": "a fruit"}
    yield "POST", "/hf/chat", {"messages": SAY, "max_tokens": 20, "temperature": 0}
    yield "POST", "/hf/chat/v1/chat/completions", {
        "messages": SAY, "max_tokens": 20, "temperature": 0,
    }  # fmt: skip
    yield "POST", "/v1/classifiers", {"name": "mail", "examples": EXAMPLES}
    yield "GET", "/v1/classifiers", None
    yield "GET", "/v1/classifiers/mail", None
    yield "GET", "/v1/classifiers/mail/export", None
    yield "POST", "/v1/classifiers/mail-2/import", {"file": "{file}"}
    yield "DELETE", "/v1/classifiers/mail-2", None
    yield "GET", "/v1/server", None
    yield "GET", "/metrics", None
    yield "GET", "/v1/workers", None
    yield "POST", "/v1/workers", {"device": "cpu", "threads": 1}
    yield "DELETE", "/v1/workers/worker-2", None
    yield "POST", "/v1/invitations", {"days": 7}
    yield "GET", "/v1/invitations", None
    yield "DELETE", "/v1/invitations/{invitations}", None
    yield "POST", "/v1/register", {
        "email": "ada@example.org", "password": PASSWORD, "name": "Analytical engines",
    }  # fmt: skip
    yield "POST", "/v1/sign-in", {"email": "ada@example.org", "password": PASSWORD}
    yield "POST", "/v1/password", {
        "email": "ada@example.org", "password": PASSWORD, "new_password": NEW_PASSWORD,
    }  # fmt: skip
    yield "POST", "/v1/sign-in-links", None
    yield "GET", "/v1/accounts?limit=10", None
    yield "POST", "/v1/accounts", {
        "name": "Shop", "budget": {"amount": "20", "period": "month"},
    }  # fmt: skip
    yield "GET", "/v1/accounts/{accounts}", None
    yield "PATCH", "/v1/accounts/{accounts}", {"limits": {"requests_per_minute": 600}}
    yield "GET", "/v1/accounts/{accounts}/export", None
    yield "DELETE", "/v1/accounts/{accounts}", None
    yield "POST", "/v1/applications", {"name": "Mail sorter", "tasks": ["classify"]}
    yield "GET", "/v1/applications", None
    yield "GET", "/v1/applications/{applications}", None
    yield "PATCH", "/v1/applications/{applications}", {"retention": True}
    yield (
        "POST",
        "/v1/keys",
        {
            "name": "sorter",
            "kind": "inference",
            "application_id": "{applications}",
            "tasks": ["classify"],
        },
    )
    yield "GET", "/v1/keys", None
    yield "GET", "/v1/keys/{keys}", None
    yield "PATCH", "/v1/keys/{keys}", {"limits": {"requests_per_minute": 60}}
    yield "POST", "/v1/keys/{keys}/rotate", {"grace_seconds": 3600}
    yield "DELETE", "/v1/keys/{keys}", None
    yield "GET", "/v1/usage?by=task,model", None
    yield "GET", "/v1/records?limit=10", None
    yield "GET", "/v1/records/{records}", None
    yield "DELETE", "/v1/records/{records}", None
    yield "DELETE", "/v1/records", None
    yield "GET", "/v1/audit?limit=3", None
    yield "GET", "/v1/audit/verification", None
    yield "DELETE", "/v1/applications/{applications}", None
    yield "DELETE", f"/v1/residents/{EMBEDDER}", None
    yield "DELETE", f"/v1/models/{EMBEDDER}", None


@dataclass
class Recorder:
    """Asks, and keeps what was asked and answered."""

    url: str
    keys: dict[str, str]
    known: dict[str, str] = field(default_factory=dict)
    """Collection -> the id that was there last."""
    found: dict[str, Any] = field(default_factory=dict)
    """Operation id -> its example."""

    def record(self, document: dict[str, Any], method: str, address: str, request: Any) -> None:
        path, _, query = address.partition("?")
        described, operation = operation_of(document, method, path)
        whole = json.loads(self._filled(json.dumps(request)))
        answer = self._send(operation, method, self._filled(address), whole)
        if answer.status_code >= 400:
            raise SystemExit(f"{method} {address}: {answer.status_code} {answer.text}")
        is_json = answer.headers["content-type"].startswith("application/json")
        told = answer.json() if is_json else answer.text
        self._remember(path, told)
        example = {
            "path": names_in(described, self._filled(path)),
            "query": dict(parse_qsl(query)),
            "request": whole,
            "answer": cut(told),
        }
        if "text/event-stream" in operation["responses"]["200"]["content"]:
            streamed = self._send(operation, method, self._filled(address), whole | STREAMED)
            example["stream"] = shortened(streamed.text)
        self.found[operation["operationId"]] = {
            name: value for name, value in example.items() if value not in ({}, None)
        }

    def _send(
        self, operation: dict[str, Any], method: str, address: str, request: Any
    ) -> httpx.Response:
        headers = {}
        if needed := operation["security"]:
            headers = {"authorization": f"Bearer {self.keys[next(iter(needed[0]))]}"}
        url = self.url + address
        return httpx.request(method, url, json=request, headers=headers, timeout=300)

    def _filled(self, text: str) -> str:
        return re.sub(r"{(\w+)}", lambda found: self.known[found[1]], text)

    def _remember(self, path: str, told: Any) -> None:
        if not isinstance(told, dict):
            return
        collection = path.split("/")[2] if path.count("/") > 1 else path
        if isinstance(told.get("id"), str):
            self.known[collection] = told["id"]
        if isinstance(told.get("file"), str):
            self.known["file"] = told["file"]
        if told.get("records"):
            self.known["records"] = told["records"][0]["id"]
        if path.endswith("/rotate"):  # something to be kept, for what lists and shows it
            self._send_as(told["secret"])

    def _send_as(self, secret: str) -> None:
        headers = {"authorization": f"Bearer {secret}"}
        httpx.post(f"{self.url}/v1/tasks/classify", json=CLASSIFY, headers=headers, timeout=60)


def operation_of(document: dict[str, Any], method: str, path: str) -> tuple[str, dict[str, Any]]:
    """By the address as it is described, or as it is asked for; the first with the address."""
    for described, ways in document["paths"].items():
        pattern = re.sub(r"{\w+}", r"[^/]+", described)
        if method.lower() in ways and re.fullmatch(pattern, path):
            return described, ways[method.lower()]
    raise SystemExit(f"nothing answers to {method} {path}")


def names_in(described: str, path: str) -> dict[str, str]:
    """What stands in the braces."""
    found = re.fullmatch(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", described), path)
    return found.groupdict() if found else {}


def shortened(stream: str) -> str:
    """The first events and the last, between them a comment, which readers of events drop."""
    events = stream.removesuffix("\n\n").split("\n\n")
    if len(events) > FIRST_EVENTS + LAST_EVENTS + 1:
        left_out = len(events) - FIRST_EVENTS - LAST_EVENTS
        events[FIRST_EVENTS:-LAST_EVENTS] = [f": {left_out} more events"]
    return "\n\n".join(events) + "\n\n"


def cut(value: Any) -> Any:
    """The same, short enough to be read."""
    if isinstance(value, dict):
        return {
            name: {"type": "object"} if name in SCHEMAS else cut(one) for name, one in value.items()
        }
    if isinstance(value, list):
        most = MOST_NUMBERS if value and isinstance(value[0], float) else MOST_ITEMS
        return [cut(one) for one in value[:most]]
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, str) and len(value) > MOST_TEXT:
        return value[:MOST_TEXT] + "…"
    return value


def veiled(text: str) -> str:
    """Without what opens anything, even on a server that is gone."""
    text = re.sub(r"(llmaas_[a-z]+_)\w+", r"\1…", text)
    text = re.sub(r"(inv_\w+\.)[\w-]+", r"\1…", text)
    return re.sub(r"(token=)[\w-]+", r"\1…", text)
