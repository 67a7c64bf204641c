"""Which server, how it wants to be asked, which model."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ValidationError

from llmaas_client.config import Config, resolve
from llmaas_client.errors import (
    AuthenticationFailed,
    ConfigurationError,
    ConnectionFailed,
    LLMaaSError,
)
from llmaas_client.refusals import from_response
from llmaas_client.wire.models import TaskList

from .dialects import Api, Task
from .exchange import Caller, Failure


@dataclass(frozen=True, slots=True)
class Target:
    """A server that was looked at."""

    url: str
    api: Api
    model: str | None
    """None: the server's own choice."""


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """How the server computes the model, as far as it says so: llmaas does."""

    kernels: str | None = None
    quantization: str | None = None


def config_of(base_url: str | None, api_key: str | None) -> Config:
    """As for a client; the `/v1` that OpenAI's clients want at the end may be there or not."""
    given = None if base_url is None else base_url.rstrip("/").removesuffix("/v1")
    return resolve(given, api_key)


async def look(caller: Caller, api: Api | None, model: str | None, task: Task) -> Target:
    """Find out what kind of server it is, and which models it has.

    Raises LLMaaSError where nobody answers, or the key is refused.
    """
    api = api or await _api_of(caller)
    models = _models_of(await _ask(caller, "/v1/models"))
    return Target(caller.config.address.url, api, model or _choose(models, api, task))


async def arithmetic_of(caller: Caller, model: str | None) -> Arithmetic:
    """Asked after the loads: a server knows it of models in its memory."""
    for one in _models_of(await _ask(caller, "/v1/models")):
        if one.id == model:
            return Arithmetic(one.kernels, one.quantization)
    return Arithmetic()


async def _api_of(caller: Caller) -> Api:
    """Only llmaas has a list of tasks."""
    body = await _ask(caller, "/v1/tasks")
    try:
        TaskList.model_validate_json(body)
    except ValidationError:
        return "openai"
    return "llmaas"


async def _ask(caller: Caller, path: str) -> bytes:
    """The body of an answer; empty where the server has nothing there."""
    url = caller.config.address.url
    answer = await caller.get(path)
    if isinstance(answer, Failure):
        raise ConnectionFailed(
            f"{url} does not answer: {answer.message}",
            hint="Check --base-url, and that the server runs.",
        )
    head, body = answer
    if head.ok:
        return body
    error = from_response(url, head.status, head.headers, body, 0.0)
    if isinstance(error, AuthenticationFailed):
        raise _refused(url, error)
    return b""


class _Model(BaseModel):
    """What is wanted of an entry of either kind of list."""

    id: str
    default_for: list[str] = []
    kernels: str | None = None
    quantization: str | None = None


class _Models(BaseModel):
    data: list[_Model]


def _models_of(body: bytes) -> list[_Model]:
    try:
        return _Models.model_validate_json(body).data
    except ValidationError:
        return []


def _choose(models: list[_Model], api: Api, task: Task) -> str | None:
    if api == "llmaas":
        return next((model.id for model in models if task in model.default_for), None)
    if not models:
        raise ConfigurationError(
            "the server has no list of models", hint="Name the model with --model."
        )
    return models[0].id


def _refused(url: str, error: LLMaaSError) -> LLMaaSError:
    return type(error)(
        f"{url} refuses the key: {error.message}",
        code=error.code,
        hint="Give it with --api-key, or in LLMAAS_API_KEY.",
    )
