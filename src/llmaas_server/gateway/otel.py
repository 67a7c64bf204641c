"""Traces for OpenTelemetry: the one file that knows it, imported where settings ask for traces.

What the SDK reads from the environment goes for them all: OTEL_SERVICE_NAME,
OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER, OTEL_EXPORTER_OTLP_HEADERS and the others of
https://opentelemetry.io/docs/languages/sdk-configuration/.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Thread

from opentelemetry import trace as api
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from llmaas_server.errors import Problem
from llmaas_server.seam.values import Span

from .tracing import Attributes, Trace

SERVICE = "llmaas"
TRACES_PATH = "/v1/traces"
CLOSE_SECONDS = 3.0
"""For the last spans to be sent."""


class OtelTracer:
    """Implements `tracing.Tracer`."""

    def __init__(self, processor: SpanProcessor, version: str) -> None:
        """`processor` is given every span that is over; it must not block."""
        resource = Resource.create({SERVICE_VERSION: version})
        if str(resource.attributes[SERVICE_NAME]).startswith("unknown_service"):
            resource = resource.merge(Resource({SERVICE_NAME: SERVICE}))
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer(SERVICE, version)
        self._propagator = TraceContextTextMapPropagator()

    @classmethod
    def over_http(cls, endpoint: str | None, version: str) -> OtelTracer:
        """One that sends spans in batches, in a thread of its own, by OTLP over HTTP.

        `endpoint` is where a collector listens, such as `http://127.0.0.1:4318`; None is what
        OTEL_EXPORTER_OTLP_ENDPOINT says. Where nobody answers there, spans are lost and the log
        says so; requests never wait.
        """
        url = None if endpoint is None else endpoint + TRACES_PATH
        return cls(BatchSpanProcessor(OTLPSpanExporter(endpoint=url)), version)

    @contextmanager
    def request(self, method: str, headers: Mapping[str, str]) -> Iterator[Trace]:
        given = {name: headers[name] for name in ("traceparent", "tracestate") if name in headers}
        outside = self._propagator.extract(given, Context())
        span = self._tracer.start_span(
            method, outside, SpanKind.SERVER, {"http.request.method": method}
        )
        yield from _until_over(OtelTrace(self._tracer, span))

    def close(self) -> None:
        # A daemon: where nobody answers, the SDK would hold the end of the process up for longer.
        closing = Thread(target=self._provider.shutdown, name="traces", daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)


class OtelTrace:
    """Implements `tracing.Trace`. The span above is named by hand: what is current in a context
    does not follow generators that one task begins and another ends."""

    def __init__(self, tracer: api.Tracer, span: api.Span) -> None:
        self._tracer = tracer
        self._span = span
        self._inside = api.set_span_in_context(span, Context())

    @property
    def id(self) -> str | None:
        return api.format_trace_id(self._span.get_span_context().trace_id)

    @property
    def is_recorded(self) -> bool:
        return self._span.is_recording()

    def name(self, name: str) -> None:
        self._span.update_name(name)

    def note(self, attributes: Attributes) -> None:
        self._span.set_attributes(attributes)

    def fail(self, error: str) -> None:
        self._span.set_attribute("error.type", error)
        if error != "cancelled":  # the caller's own wish
            self._span.set_status(Status(StatusCode.ERROR))

    @contextmanager
    def part(self, name: str, attributes: Attributes | None = None) -> Iterator[Trace]:
        span = self._tracer.start_span(name, self._inside, attributes=attributes)
        yield from _until_over(OtelTrace(self._tracer, span))

    def add(self, spans: Sequence[Span]) -> None:
        for span in spans:
            made = self._tracer.start_span(
                span.name, self._inside, attributes=span.attributes, start_time=span.began
            )
            OtelTrace(self._tracer, made).add(span.parts)
            made.end(span.ended)

    def end(self) -> None:
        self._span.end()


def _until_over(trace: OtelTrace) -> Iterator[Trace]:
    """Hand it out once, and end it however that ends. Never says the text of an exception, which
    may have what a user wrote in it."""
    try:
        yield trace
    except BaseException as error:
        trace.fail(_name_of(error))
        raise
    finally:
        trace.end()


def _name_of(error: BaseException) -> str:
    if isinstance(error, Problem):
        return error.code
    if isinstance(error, GeneratorExit | asyncio.CancelledError):
        return "cancelled"
    return type(error).__name__
