"""`GET /v1/models`: the models on this machine, and what they are doing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from llmaas_client.wire.models import ModelInfo, ModelList, ModelMemory, SamplingDefaults
from llmaas_client.wire.sampling import DEFAULT_MAX_TOKENS
from llmaas_server.errors import Problem, model_not_found
from llmaas_server.gateway.access import ANY_KEY
from llmaas_server.gateway.choice import Defaults
from llmaas_server.gateway.principals import EVERYTHING, Permit
from llmaas_server.models.generation import FILE_NAME, defaults_of, read_json
from llmaas_server.models.manifest import InstalledModel
from llmaas_server.seam.values import BackendStatus, ModelStatus

from .context import get_principal
from .endpoint import Endpoint


class Installed(Protocol):
    """What the list needs of the model store."""

    def installed(self) -> Iterable[InstalledModel]: ...


class ListModels:
    """Joins what lies on the disk with what the worker holds, as far as the key may use it."""

    def __init__(
        self, store: Installed, status: Callable[[], BackendStatus], defaults: Defaults
    ) -> None:
        self._store = store
        self._status = status
        self._defaults = defaults

    async def answer(self, request: Request) -> Response:
        models = ModelList(data=await self._seen(request))
        return Response(models.model_dump_json(), media_type="application/json")

    async def one(self, request: Request) -> Response:
        """Raises Problem `model_not_found`: the same for what the key may not use."""
        name = request.path_params["id"]
        models = {model.id: model for model in await self._seen(request)}
        if name not in models:
            raise model_not_found(name, models)
        return Response(models[name].model_dump_json(), media_type="application/json")

    async def show(self, name: str) -> ModelInfo:
        """For one who may see all of them. Raises Problem `model_not_found`."""
        models = {model.id: model for model in await self.every()}
        if name not in models:
            raise model_not_found(name, models)
        return models[name]

    async def every(self) -> list[ModelInfo]:
        """All models on this machine."""
        return await self._described(EVERYTHING)

    async def _seen(self, request: Request) -> list[ModelInfo]:
        """The models that the key may use."""
        principal = get_principal(request.scope)
        return await self._described(
            EVERYTHING if principal.kind == "management" else principal.models
        )

    async def _described(self, seen: Permit) -> list[ModelInfo]:
        stated = await run_in_threadpool(self._read, seen)
        running = {model.name: model for model in self._status().models}
        return [
            self._describe(model, running.get(model.name), sampling) for model, sampling in stated
        ]

    def _read(self, seen: Permit) -> list[tuple[InstalledModel, SamplingDefaults | None]]:
        """Looks at files."""
        installed = self._store.installed()
        return [(model, _sampling(model)) for model in installed if model.name in seen]

    def _describe(
        self,
        model: InstalledModel,
        running: ModelStatus | None,
        sampling: SamplingDefaults | None,
    ) -> ModelInfo:
        return ModelInfo(
            id=model.name,
            created=model.created,
            owned_by=str(model.source),
            kind=model.kind,
            tasks=list(model.tasks),
            context=model.context,
            bytes=model.bytes,
            licence=model.licence,
            state=running.state if running else "cached",
            progress=running.progress if running and running.state == "loading" else None,
            memory=_memory(running) if running else None,
            kernels=(running.kernels or None) if running else None,
            quantization=(running.quantization or None) if running else None,
            default_for=self._defaults.tasks_of(model.name),
            sampling=sampling,
        )


def _memory(running: ModelStatus) -> ModelMemory:
    return ModelMemory(
        weights_bytes=running.bytes,
        kv_bytes=running.kv_bytes,
        in_use=running.in_use,
        pinned=running.pinned,
    )


def _sampling(model: InstalledModel) -> SamplingDefaults | None:
    """None for a model that does not chat, and for one whose file says what nobody can read:
    loading it tells what is wrong."""
    if "chat" not in model.tasks:
        return None
    try:
        stated = defaults_of(model.kind, read_json(model.path / FILE_NAME))
    except (Problem, OSError):
        return None
    return SamplingDefaults(
        max_tokens=min(DEFAULT_MAX_TOKENS, model.context), **dataclasses.asdict(stated)
    )


def endpoints(listing: ListModels) -> list[Endpoint]:
    return [
        Endpoint("GET", "/v1/models", "List the models", listing.answer, ANY_KEY, ModelList),
        Endpoint(
            "GET",
            "/v1/models/{id:path}",  # names of the hub have a slash
            "Show a model",
            listing.one,
            ANY_KEY,
            ModelInfo,
            errors=("model_not_found",),
        ),
    ]
