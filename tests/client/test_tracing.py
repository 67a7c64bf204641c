"""The trace of a program goes on in the server that it asks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import Span, TracerProvider

from llmaas_client import AsyncClient, Client
from llmaas_client.tracing import headers
from support.traces import Traced, traced_fake

TRACER = TracerProvider(shutdown_on_exit=False).get_tracer("a program")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    with traced_fake(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture(autouse=True)
def _fresh(server: Traced) -> None:
    server.clear()


def ids_of(span: object) -> tuple[int, int]:
    assert isinstance(span, Span)
    assert span.context is not None
    return span.context.trace_id, span.context.span_id


def parents(server: Traced) -> set[tuple[int, int]]:
    """Trace and span ids that requests name as theirs."""
    roots = [span for span in server.spans() if span.kind.name == "SERVER"]
    return {(one.parent.trace_id, one.parent.span_id) for one in roots if one.parent is not None}


def test_no_span_no_header(server: Traced) -> None:
    assert headers() == {}
    with Client(server.front.url, server.front.key) as client:
        client.embed("a")
    assert server.trace().span.parent is None


def test_calls_streams_and_maps(server: Traced) -> None:
    with Client(server.front.url, server.front.key) as client:
        with TRACER.start_as_current_span("work") as span:
            client.classify("a", labels=["x", "y"])
            with client.chat.stream("hello") as stream:
                list(stream)
            client.embed.map(["a", "b", "c"], progress=False)
        client.embed("after")
    assert parents(server) == {ids_of(span)}
    assert len([one for one in server.spans() if one.parent is None]) == 1  # the one after


async def test_async_calls(server: Traced) -> None:
    async with AsyncClient(server.front.url, server.front.key) as client:
        with TRACER.start_as_current_span("work") as span:
            await client.chat("hello")
    assert parents(server) == {ids_of(span)}


def test_nothing_is_imported_for_it() -> None:
    """A program without traces pays nothing for those of others."""
    code = (
        "import sys; from llmaas_client import tracing; "
        "assert tracing.headers() == {}; "
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
