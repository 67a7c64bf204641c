"""The composition root: builds everything once, and lists what is served on one screen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Mount, Route

from llmaas_server.api import (
    accounts,
    applications,
    audit,
    classifiers,
    health,
    keys,
    metrics,
    models,
    openapi,
    person,
    prices,
    pulls,
    records,
    registration,
    residents,
    server,
    sign_in_links,
    tasks,
    translated,
    usage,
    workers,
)
from llmaas_server.api.door import Door
from llmaas_server.api.endpoint import routes
from llmaas_server.api.guard import HeaderLimits, Hosts, Origins
from llmaas_server.api.limits import RateLimits
from llmaas_server.api.managing import Desk
from llmaas_server.api.middleware import Authenticate, Contexts
from llmaas_server.api.problems import Problems, RouterProblems
from llmaas_server.backends.fake import CONTEXT, FakeBackend, NoWorkers
from llmaas_server.backends.replicas import Replicas
from llmaas_server.backends.sharing import Share, Sharing
from llmaas_server.backends.worker import WorkerBackend
from llmaas_server.compat.huggingface import formats as huggingface
from llmaas_server.compat.openai import formats as openai
from llmaas_server.compat.predict import Predict
from llmaas_server.errors import Problem, model_not_found
from llmaas_server.gateway.calls import Calls, Models
from llmaas_server.gateway.choice import Defaults
from llmaas_server.gateway.figures import Figures
from llmaas_server.gateway.gate import Gate
from llmaas_server.gateway.inventory import fingerprint
from llmaas_server.gateway.metrics import Metrics
from llmaas_server.gateway.observed import Observed
from llmaas_server.gateway.pulls import NoSource, Pulls, Source
from llmaas_server.gateway.residents import Residents
from llmaas_server.gateway.scraped import Scraped
from llmaas_server.gateway.services import Services
from llmaas_server.gateway.staff import Staff
from llmaas_server.gateway.tracing import NoTracer, Tracer
from llmaas_server.models.inspect import tasks_of
from llmaas_server.models.machine import cpu_memory_bytes, physical_cores
from llmaas_server.models.manifest import InstalledModel
from llmaas_server.models.origin import Local
from llmaas_server.models.store import Store
from llmaas_server.seam.backend import Backend
from llmaas_server.seam.values import ModelKind, ModelRef, WorkerOptions
from llmaas_server.settings import Settings, worker_environment
from llmaas_server.ui.entrance import HOME
from llmaas_server.ui.site import DOCS, PREFIX, Site
from llmaas_server.ui.visit import House


class ModelStore(Models, models.Installed, Protocol):
    """All that the front needs of a model store."""


def create_app(
    settings: Settings,
    services: Services,
    backend: Backend | None = None,
    store: ModelStore | None = None,
    tracer: Tracer | None = None,
) -> Starlette:
    """The server as an ASGI application; starting and stopping it starts and stops the backend
    and the services, which it closes.
    """
    tracer = tracer or create_tracer(settings)
    backend = backend or create_backend(settings)
    shelf = store = store or create_store(settings)
    version = installed_version("llmaas")
    defaults = Defaults(settings)
    gate = Gate(settings.max_queue)
    meters = Metrics(version)
    meters.watch(
        Scraped(
            backend.status, lambda: gate.inside, settings.max_queue, spent=services.ledger.spent
        )
    )
    observed = Observed(backend, meters)
    calls = Calls(
        defaults,
        store,
        observed,
        gate,
        services.ring.holding,
        services.metering,
        services.classifiers,
    )
    door = Door(services.ring, services.sessions, services.refusals)
    workforce = backend if isinstance(backend, Replicas) else NoWorkers()
    staff = Staff(workforce, services.database, services.trail)
    source = store if isinstance(store, Source) else NoSource()
    coming = Pulls(source, services.database, services.trail, services.clock)
    listing = models.ListModels(store, backend.status, defaults)
    figures = Figures(version, backend.status, gate, meters)
    services.watch("models", lambda: {it.name: fingerprint(it.files) for it in shelf.installed()})
    limit = settings.max_body_bytes
    desk = Desk(limit)
    predict = Predict(
        store, settings.predict_model, settings.predict_negative, settings.predict_positive
    )

    endpoints = [
        *health.endpoints(backend.status, version),
        *tasks.endpoints(calls, defaults, max_body_bytes=limit, ping_seconds=settings.ping_seconds),
        *classifiers.endpoints(services.classifiers, calls, store, desk),
        *models.endpoints(listing),
        *residents.endpoints(
            Residents(store, source, coming, backend, services.database, services.trail),
            listing,
            desk,
        ),
        *pulls.endpoints(coming, desk),
        *(
            translated.endpoint(
                format, calls, max_body_bytes=limit, ping_seconds=settings.ping_seconds
            )
            for format in (predict, *openai.formats(), *huggingface.formats(predict))
        ),
        *workers.endpoints(staff, desk),
        server.endpoint(figures, desk),
        *registration.endpoints(services.registrations, services.own_passwords, desk),
        *accounts.endpoints(services.accounts, services.invitations, desk),
        *applications.endpoints(services.applications, desk),
        *keys.endpoints(services.keys, desk),
        *usage.endpoints(services.usage),
        *prices.endpoints(services.price_list, calls, desk),
        *audit.endpoints(services.trail_reader, desk),
        *records.endpoints(services.records, desk),
        *person.endpoints(services.export, services.erasure, desk),
    ]
    if settings.console:
        endpoints.append(sign_in_links.endpoint(services.sign_in_links, desk))
    endpoints.append(metrics.endpoint(meters))
    describing, description = openapi.described(endpoints, version)
    endpoints.append(describing)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        try:
            await services.start()
            await backend.start()
            try:
                yield
            finally:
                await coming.close()
                await backend.stop(settings.grace_seconds)
        finally:
            await services.close()
            await asyncio.to_thread(tracer.close)

    console: list[BaseRoute] = []
    if settings.console:
        house = House(
            settings,
            services,
            backend.status,
            staff.workers,
            shelf,
            defaults,
            version,
            listing,
            coming,
            figures,
            description,
        )
        console = [
            Route("/", RedirectResponse(HOME), methods=["GET"]),
            Route(PREFIX, RedirectResponse(HOME), methods=["GET"]),
            Route(DOCS, RedirectResponse(PREFIX + DOCS), methods=["GET"]),
            Mount(PREFIX, Site(house)),
        ]

    app = Starlette(
        routes=[*routes(endpoints, door.check), *console],
        middleware=[
            Middleware(Contexts, metrics=meters, tracer=tracer),
            Middleware(Problems, count=meters.failed),
            Middleware(HeaderLimits, most_bytes=int(settings.max_header_bytes)),
            Middleware(Hosts, allowed=settings.allowed_hosts),
            Middleware(Origins, allowed=settings.allowed_origins),
            Middleware(RateLimits, limiter=services.limiter),
            # Once more: these errors may be read by pages of allowed origins.
            Middleware(Problems, count=meters.failed),
            Middleware(
                Authenticate,
                door=door,
                endpoints=endpoints,
                own=(HOME, "/", PREFIX, DOCS) if settings.console else (),
            ),
        ],
        exception_handlers={HTTPException: RouterProblems(meters.failed)},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # one address for one thing; others are not found
    return app


def create_backend(settings: Settings) -> Backend:
    """What computes."""
    if settings.backend == "fake":
        return FakeBackend()

    def worker(device: str, share: Share) -> WorkerBackend:
        options = WorkerOptions(
            log_level=settings.log_level,
            log_format=settings.log_format,
            device=device,
            threads=share.threads,
            dtype=settings.dtype,
            quantization=settings.quantization,
            model_quantization=settings.model_quantization,
            kernels=str(settings.cache / "kernels"),
            compiled=str(settings.cache / "compiled") if settings.compile == "auto" else "",
            kv_bytes=int(settings.kv_bytes),
            max_sequences=settings.max_sequences,
            max_step_tokens=settings.max_step_tokens,
            memory_bytes=share.memory_bytes,
            idle_seconds=settings.idle_seconds,
            pinned=settings.pinned_models,
        )
        return WorkerBackend(
            options, environment=worker_environment(), hang_seconds=settings.hang_seconds
        )

    sharing = Sharing(
        cores=physical_cores(),
        memory=cpu_memory_bytes(),
        threads=settings.threads,
        memory_bytes=None if settings.memory_bytes is None else int(settings.memory_bytes),
    )
    return Replicas(worker, settings.devices, sharing)


def create_tracer(settings: Settings) -> Tracer:
    """What brings traces away. Raises Problem where it is not installed."""
    if settings.tracing == "off":
        return NoTracer()
    try:
        from llmaas_server.gateway.otel import OtelTracer
    except ModuleNotFoundError as error:
        raise Problem(
            "unsupported_parameter",
            f"tracing is {settings.tracing!r}, and {error.name} is not installed",
            hint="Install it with `pip install 'llmaas[otel]'`, or set tracing to off.",
        ) from None
    return OtelTracer.over_http(settings.otlp_endpoint, installed_version("llmaas"))


def create_store(settings: Settings) -> ModelStore:
    """The models that requests can name."""
    return NoFiles(settings) if settings.backend == "fake" else Store(settings.cache)


class NoFiles:
    """The store of the fake backend: the default models, without their files."""

    def __init__(self, settings: Settings) -> None:
        decoders = {settings.chat_model, settings.abstractive_model}
        encoders = {
            settings.classify_model,
            settings.summarize_model,
            settings.embed_model,
            settings.predict_model,
        }
        self._models = {
            **{name: _without_files(name, "encoder") for name in sorted(encoders - decoders)},
            **{name: _without_files(name, "decoder") for name in sorted(decoders)},
        }

    def ref(self, name: str) -> ModelRef:
        if name not in self._models:
            raise model_not_found(name, self._models)
        model = self._models[name]
        return ModelRef(name, "", model.kind, model.sentence_embeddings)

    def installed(self) -> list[InstalledModel]:
        return list(self._models.values())


def _without_files(name: str, kind: ModelKind) -> InstalledModel:
    embeds = kind == "encoder"
    return InstalledModel(
        name=name,
        kind=kind,
        sentence_embeddings=embeds,
        tasks=tasks_of(kind, embeds),
        context=CONTEXT,
        licence=None,
        created=0,
        source=Local("nowhere"),
        files={},
        path=Path(),
    )
