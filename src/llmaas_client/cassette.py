"""Answers kept in a file, to be given again without a network.

A cassette is a file of JSON lines: one head, then each request with its answer, in the order in
which the answers came. It holds texts and answers, and never a key: of what goes out, only method,
path and body are written, of what comes back the body and the headers named below; calls that
manage accounts and keys are not written at all.
"""

from __future__ import annotations

import json
import threading
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Never, Protocol, TypeVar, cast

from .errors import ConfigurationError, NotRecorded
from .steps import Broken, Call, Emit, Flow, Head, Read, Reply, Send

T = TypeVar("T")

VERSION = 1
HEADERS = frozenset({"content-type", "x-request-id", "retry-after"})
_HEAD = {"llmaas_cassette": VERSION}
_RECORDED = ("/v1/tasks", "/v1/models", "/v1/classifiers", "/health")
"""Where nothing has a key or a password in it."""
_STREAM = "text/event-stream"
_SHORT = 60
"""Characters of a value in a message."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a call asks: what finds its answer again."""

    method: str
    path: str
    body: dict[str, Any] | None

    @property
    def key(self) -> str:
        return json.dumps([self.method, self.path, self.body], sort_keys=True)

    def __str__(self) -> str:
        told = ", ".join(f"{name}={_short(value)}" for name, value in (self.body or {}).items())
        return f"{self.method} {self.path}{f' with {told}' if told else ''}"

    def differs(self, other: Request) -> list[str]:
        """The fields in which another one of the same path differs."""
        mine, its = self.body or {}, other.body or {}
        return [name for name in sorted(mine | its) if mine.get(name) != its.get(name)]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Tape(Protocol):
    """What stands between a flow and the network."""

    needs_no_key: bool

    def around(self, flow: Flow[T], call: Call[T], base_url: str) -> Flow[T]: ...


def tape(end: Literal["recorder", "player"], path: str | PathLike[str]) -> Tape:
    """A tape over the cassette at `path`; the file is opened at first use."""
    return Recorder(path) if end == "recorder" else Player(path)


class Recorder:
    """Writes a cassette anew. Threads may share it."""

    needs_no_key = False

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = Path(path)
        self._started = False
        self._lock = threading.Lock()

    def around(self, flow: Flow[T], call: Call[T], base_url: str) -> Flow[T]:
        """The same flow, whose answers are written down."""
        return _record(flow, base_url, self) if _may_be_written(call) else flow

    def __reduce__(self) -> Never:
        raise TypeError("a client that records cannot be pickled: two would write one file")

    def write(self, request: Request, answer: Answer) -> None:
        """Add an answer; it is on its way to the disk when this returns."""
        line = {
            "request": {"method": request.method, "path": request.path, "body": request.body},
            "response": {
                "status": answer.status,
                "headers": {
                    name: value for name, value in answer.headers.items() if name in HEADERS
                },
                **_as_text(answer.body),
            },
        }
        with self._lock:
            try:
                with self.path.open("a" if self._started else "w", encoding="utf-8") as file:
                    if not self._started:
                        file.write(json.dumps(_HEAD) + "\n")
                    file.write(json.dumps(line, ensure_ascii=False) + "\n")
            except OSError as error:
                raise ConfigurationError(
                    f"{self.path} cannot be written: {error.strerror}"
                ) from None
            self._started = True


class Player:
    """Gives answers of a cassette again: the same request gets them in their order, then the last
    one again and again, so that a cell of a notebook can be run twice."""

    needs_no_key = True

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = Path(path)
        self._answers: dict[str, list[Answer]] | None = None
        self._requests: list[Request] = []
        self._given: dict[str, int] = {}
        self._lock = threading.Lock()

    def around(self, flow: Flow[T], call: Call[T], base_url: str) -> Flow[T]:
        """The same flow, whose steps are answered by the cassette: none leads to a network.

        Raises NotRecorded for a call that no cassette has.
        """
        if not _may_be_written(call):
            raise self._missing(Request(call.verb, call.path, None))
        return _replay(flow, base_url, self)

    def __reduce__(self) -> tuple[Any, ...]:
        return Player, (self.path,)

    def answer(self, request: Request) -> Answer:
        """Raises NotRecorded, or ConfigurationError for a file that is no cassette."""
        with self._lock:
            if self._answers is None:
                self._answers = self._load()
            found = self._answers.get(request.key)
            if not found:
                raise self._missing(request)
            count = self._given.get(request.key, 0)
            self._given[request.key] = count + 1
            return found[min(count, len(found) - 1)]

    def _load(self) -> dict[str, list[Answer]]:
        try:
            lines = self.path.read_text("utf-8").splitlines()
        except OSError as error:
            raise ConfigurationError(
                f"{self.path} cannot be read: {error.strerror}",
                hint="Record it first: Client.record(…).",
            ) from None
        except UnicodeDecodeError:
            raise ConfigurationError(f"{self.path} is not a cassette: it is not text") from None
        if not lines:
            raise ConfigurationError(f"{self.path} is not a cassette: it is empty")
        answers: dict[str, list[Answer]] = {}
        for number, line in enumerate(lines, 1):
            try:
                entry = json.loads(line)
                if number == 1:
                    if entry != _HEAD:
                        raise ValueError(f"it does not begin with {json.dumps(_HEAD)}")
                    continue
                request, answer = _asked(entry["request"]), _answer(entry["response"])
            except (ValueError, TypeError, KeyError) as error:
                raise ConfigurationError(
                    f"{self.path} is not a cassette: line {number}: {error}",
                    hint="Record it again: Client.record(…).",
                ) from None
            self._requests.append(request)
            answers.setdefault(request.key, []).append(answer)
        return answers

    def _missing(self, request: Request) -> NotRecorded:
        alike = [
            request.differs(other)
            for other in self._requests
            if (other.method, other.path) == (request.method, request.path)
        ]
        nearest = min(alike, key=len, default=list[str]())
        also = f"; the nearest one differs in {', '.join(nearest)}" if nearest else ""
        return NotRecorded(
            f"{self.path.name} has no answer for {request}{also}",
            hint="Record it again: Client.record(…). Calls that manage accounts are never in it.",
        )


def _may_be_written(call: Call[Any]) -> bool:
    return call.key != "management" and call.path.startswith(_RECORDED)


def _record(flow: Flow[T], base_url: str, recorder: Recorder) -> Flow[T]:
    reply: Reply = None
    sent: Request | None = None
    head: Head | None = None
    pieces: list[bytes] = []

    def keep() -> None:
        nonlocal head
        if sent is not None and head is not None:
            recorder.write(sent, Answer(head.status, head.headers, b"".join(pieces)))
        head = None

    try:
        while True:
            step = flow.send(reply)
            reply = yield step
            if isinstance(step, Send):
                sent, pieces = _request(step, base_url), []
                head = reply if isinstance(reply, Head) else None
            elif isinstance(step, Read):
                if isinstance(reply, bytes) and reply:
                    pieces.append(reply)
                elif not isinstance(reply, Broken):
                    keep()
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        flow.close()
        if head is not None and _is_stream(head):
            keep()  # it was left, or cut: what came of it


def _replay(flow: Flow[T], base_url: str, player: Player) -> Flow[T]:
    reply: Reply = None
    left = b""
    try:
        while True:
            step = flow.send(reply)
            reply = None
            if isinstance(step, Emit):
                yield step
            elif isinstance(step, Send):
                answer = player.answer(_request(step, base_url))
                left = answer.body
                ok = 200 <= answer.status < 300
                reply = Head(answer.status, ok, answer.headers)
            elif isinstance(step, Read):
                reply, left = left, b""
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        flow.close()


def _request(step: Send, base_url: str) -> Request:
    body = json.loads(step.body) if step.body else None
    return Request(step.method, step.url.removeprefix(base_url), body)


def _is_stream(head: Head) -> bool:
    return head.headers.get("content-type", "").startswith(_STREAM)


def _as_text(body: bytes) -> dict[str, str]:
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"base64": b64encode(body).decode()}


def _asked(entry: Mapping[str, Any]) -> Request:
    body = entry["body"]
    if not isinstance(body, dict | None):
        raise ValueError("the body of a request is an object, or null")
    return Request(str(entry["method"]), str(entry["path"]), cast("dict[str, Any] | None", body))


def _answer(entry: Mapping[str, Any]) -> Answer:
    body = b64decode(entry["base64"]) if "base64" in entry else entry["body"].encode()
    return Answer(int(entry["status"]), dict(entry["headers"]), body)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"
