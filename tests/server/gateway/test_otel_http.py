"""Spans leave by OTLP over HTTP; where nobody takes them, nobody waits for that."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from llmaas_server.app import create_tracer
from llmaas_server.errors import Problem
from llmaas_server.gateway import otel
from llmaas_server.gateway.tracing import NoTracer
from llmaas_server.settings import Settings
from support.front import front

Received = SimpleQueue[tuple[str, ExportTraceServiceRequest]]


@pytest.fixture
def received() -> Received:
    return SimpleQueue()


@pytest.fixture
def collector(received: Received) -> Iterator[str]:
    """The address of a collector that keeps what it is sent."""

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            received.put((self.path, ExportTraceServiceRequest.FromString(body)))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def settings(home: Path, endpoint: str | None) -> Settings:
    return Settings(home=home, cache=home, backend="fake", tracing="otlp", otlp_endpoint=endpoint)


def test_the_last_spans_are_sent_at_the_end(
    tmp_path: Path, collector: str, received: Received
) -> None:
    with front(settings(tmp_path, collector)) as server:
        server.http.post("/v1/tasks/embed", json={"text": "a"})
    path, sent = received.get(timeout=10)
    assert path == "/v1/traces"
    (resource,) = sent.resource_spans
    attributes = {one.key: one.value.string_value for one in resource.resource.attributes}
    assert attributes["service.name"] == "llmaas"
    names = {span.name for scope in resource.scope_spans for span in scope.spans}
    assert {"POST /v1/tasks/embed", "embeddings all-minilm-l6-v2", "settle"} <= names


def test_the_standard_variables_go(
    tmp_path: Path, collector: str, received: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector)
    monkeypatch.setenv("OTEL_SERVICE_NAME", "of-mine")
    with front(settings(tmp_path, None)) as server:
        server.http.get("/v1/models")
    _, sent = received.get(timeout=10)
    attributes = {
        one.key: one.value.string_value for one in sent.resource_spans[0].resource.attributes
    }
    assert attributes["service.name"] == "of-mine"


def test_nobody_waits_for_a_collector_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(otel, "CLOSE_SECONDS", 0.2)
    with front(settings(tmp_path, "http://127.0.0.1:9")) as server:
        assert server.http.post("/v1/tasks/embed", json={"text": "a"}).status_code == 200
        began = time.monotonic()
    assert time.monotonic() - began < 5
    assert [one for one in caplog.records if one.levelno >= logging.WARNING]


def test_without_the_extra_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(__import__("sys").modules, "llmaas_server.gateway.otel", raising=False)
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry", None)
    with pytest.raises(Problem, match="opentelemetry is not installed") as caught:
        create_tracer(settings(tmp_path, None))
    assert "pip install 'llmaas[otel]'" in (caught.value.hint or "")


def test_without_the_setting_nothing_is_imported(tmp_path: Path) -> None:
    assert isinstance(create_tracer(Settings(home=tmp_path)), NoTracer)


@pytest.mark.parametrize("wrong", ["collector:4318", "ftp://x", "http://u:p@x", "http://x/?a=b"])
def test_what_is_no_address_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="it is an address such as"):
        Settings(otlp_endpoint=wrong)
