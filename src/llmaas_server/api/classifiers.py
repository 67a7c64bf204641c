"""`/v1/classifiers`: made from examples, each account its own."""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from collections.abc import AsyncGenerator
from functools import partial

import msgspec
from starlette.types import Receive, Scope, Send

from llmaas_client.wire.classifiers import (
    SPEC,
    Classifier,
    ClassifierCreate,
    ClassifierFile,
    ClassifierImport,
    ClassifierList,
    CreatedClassifier,
    DeletedClassifier,
)
from llmaas_client.wire.classify import CLASSIFIER_NAME
from llmaas_server.errors import Problem
from llmaas_server.gateway.access import task
from llmaas_server.gateway.calls import Calls, Models
from llmaas_server.gateway.classifiers import Classifiers, check_embedder
from llmaas_server.gateway.metering import Running
from llmaas_server.seam import heads

from . import calling
from .body import parse
from .door import actor_of
from .endpoint import CALL_ERRORS, Endpoint
from .exchange import OF_CALLS, Exchange
from .managing import Asked, Desk
from .tasks import Answering

PATH = "/v1/classifiers"


class CreateClassifier:
    """`POST /v1/classifiers`: a call like any other, whose outcome is kept."""

    def __init__(self, classifiers: Classifiers, calls: Calls, *, max_body_bytes: int) -> None:
        self._classifiers = classifiers
        self._calls = calls
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = Exchange(scope, receive, send)
        body = await exchange.body(self._max_body_bytes)
        request = parse(ClassifierCreate, body)
        call = await calling.prepare(self._calls, exchange, SPEC.name, request, ability="embed")
        make = partial(self._make, scope, request, Answering(exchange, call))
        pieces = calling.answer(self._calls, exchange, call, body, make)
        await exchange.while_connected(calling.send_whole(self._calls, exchange, pieces))

    async def _make(
        self, scope: Scope, request: ClassifierCreate, answering: Answering, running: Running
    ) -> AsyncGenerator[bytes]:
        result = await running.result()
        classifier = await self._classifiers.keep(
            actor_of(scope),
            running.principal.account_id,
            request.name,
            result.body["head"],
            request.model_dump_json(exclude={"name", "model"}, exclude_none=True).encode(),
            "classifiers.create",
        )
        told = {name: value for name, value in result.body.items() if name != "head"}
        told["classifier"] = classifier.model_dump(mode="json")
        result = msgspec.structs.replace(result, body=told)
        yield await running.settle(result, partial(answering.encode, running, result))


class ClassifierDesk:
    """What each other request means to the service."""

    def __init__(self, classifiers: Classifiers, models: Models) -> None:
        self._classifiers = classifiers
        self._models = models

    async def list(self, asked: Asked[None]) -> ClassifierList:
        return await self._classifiers.list(_account_of(asked))

    async def show(self, asked: Asked[None]) -> Classifier:
        return await self._classifiers.get(_account_of(asked), asked.id)

    async def export(self, asked: Asked[None]) -> ClassifierFile:
        return await self._classifiers.file(_account_of(asked), asked.id)

    async def remove(self, asked: Asked[None]) -> DeletedClassifier:
        return await self._classifiers.remove(asked.actor, _account_of(asked), asked.id)

    async def bring(self, asked: Asked[ClassifierImport]) -> Classifier:
        """Raises Problem `conflict` where the model here makes other vectors."""
        if re.fullmatch(CLASSIFIER_NAME, asked.id) is None:
            raise Problem("invalid_request", f"{asked.id!r} is no name for a classifier")
        try:
            file = base64.b64decode(asked.body.file, validate=True)
        except (binascii.Error, ValueError):
            raise Problem("invalid_request", "the file is not base64", param="file") from None
        card = (await asyncio.to_thread(heads.read, file)).card
        model = await asyncio.to_thread(self._models.ref, card.model)
        check_embedder(card, model.fingerprint)
        return await self._classifiers.keep(
            asked.actor,
            _account_of(asked),
            asked.id,
            file,
            None,
            "classifiers.import",
        )


def _account_of(asked: Asked[None] | Asked[ClassifierImport]) -> str:
    account_id = asked.actor.account_id
    assert account_id is not None  # who comes by HTTP has one
    return account_id


def endpoints(classifiers: Classifiers, calls: Calls, models: Models, desk: Desk) -> list[Endpoint]:
    one, access = f"{PATH}/{{id}}", task("classify")
    work = ClassifierDesk(classifiers, models)
    return [
        Endpoint(
            "POST",
            PATH,
            "Make a classifier from examples, or its next version",
            CreateClassifier(classifiers, calls, max_body_bytes=desk.max_body_bytes),
            access,
            answer=CreatedClassifier,
            body=ClassifierCreate,
            headers=OF_CALLS,
            errors=(*CALL_ERRORS, "too_few_labels", "too_many_labels"),
        ),
        desk.endpoint("GET", PATH, "List classifiers", work.list, access, ClassifierList),
        desk.endpoint(
            "POST",
            f"{one}/import",
            "Bring a classifier from a file",
            work.bring,
            access,
            Classifier,
            body=ClassifierImport,
            errors=("conflict", "model_not_found"),
        ),
        desk.endpoint(
            "GET",
            one,
            "Show a classifier and its evaluation",
            work.show,
            access,
            Classifier,
            errors=("not_found",),
        ),
        desk.endpoint(
            "GET",
            f"{one}/export",
            "Take a classifier away as a file",
            work.export,
            access,
            ClassifierFile,
            errors=("not_found",),
        ),
        desk.endpoint(
            "DELETE",
            one,
            "Delete a version of a classifier, or all of its versions, with their examples",
            work.remove,
            access,
            DeletedClassifier,
            errors=("not_found",),
        ),
    ]
