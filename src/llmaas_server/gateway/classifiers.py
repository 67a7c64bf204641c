"""Classifiers that accounts have made from examples: kept encrypted, in versions.

A version never changes. Its card, its file and its examples are sealed for the account.
"""

from __future__ import annotations

import asyncio
import base64
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from llmaas_client.wire.classifiers import (
    Classifier,
    ClassifierCard,
    ClassifierFile,
    ClassifierInfo,
    ClassifierList,
    DeletedClassifier,
)
from llmaas_client.wire.classify import ClassifyRequest
from llmaas_server.errors import Problem
from llmaas_server.seam import heads
from llmaas_server.seam.values import Attached
from llmaas_server.storage.classifiers import ClassifierPartRow, ClassifierRow, Part
from llmaas_server.storage.database import Database
from llmaas_server.storage.tables import Tables

from .clock import Clock
from .ids import new_id
from .principals import Actor
from .trail import Trail
from .vault import Sealer, Vault
from .views import moment

MOST = 1000
"""Versions of an account, of all names together."""

OPEN = 64
"""Heads that are kept in memory for the calls that come next."""

FIELD = "head"
"""Of the request as the task reads it."""


@dataclass(frozen=True, slots=True)
class _Open:
    file: bytes
    card: ClassifierCard


class Classifiers:
    """Keeps and shows classifiers, each account its own, and gives them to calls."""

    def __init__(self, database: Database, vault: Vault, trail: Trail, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._trail = trail
        self._clock = clock
        self._open: OrderedDict[str, _Open] = OrderedDict()

    async def keep(
        self,
        actor: Actor,
        account_id: str,
        name: str,
        file: bytes,
        examples: bytes | None,
        action: str,
    ) -> Classifier:
        """Keep the next version of a classifier. `examples` are JSON; None where it was imported.

        Raises Problem `invalid_request` where the file is damaged, `conflict` where the account
        has too many.
        """
        card = (await asyncio.to_thread(heads.read, file)).card
        parts: dict[Part, bytes] = {"card": card.model_dump_json().encode(), "head": file}
        if examples is not None:
            parts["examples"] = examples
        classifier_id, now = new_id("clf"), self._clock()
        sealed = {
            part: await self._vault.seal(account_id, _context(classifier_id, part), plain)
            for part, plain in parts.items()
        }

        def unit(tables: Tables) -> ClassifierRow:
            if tables.classifiers.count(account_id) >= MOST:
                raise Problem(
                    "conflict",
                    f"the account has {MOST} versions of classifiers, which is the most",
                    hint="Delete some with DELETE /v1/classifiers/{name}.",
                )
            versions = tables.classifiers.versions(account_id, name)
            version = versions[0].version + 1 if versions else 1
            row = ClassifierRow(
                classifier_id, account_id, name, version, heads.digest_of(file), now
            )
            tables.classifiers.add(row)
            for part, content in sealed.items():
                tables.classifier_parts.add(
                    ClassifierPartRow(classifier_id, part, account_id, content)
                )
            detail = {"digest": row.digest}
            self._trail.add(tables, actor.entry(action, _named(row), account_id, detail))
            return row

        return _shown(await self._database.write(unit), card)

    async def list(self, account_id: str) -> ClassifierList:
        """All of an account, by name, the newest version first."""

        def unit(tables: Tables) -> list[tuple[ClassifierRow, ClassifierPartRow]]:
            rows = tables.classifiers.of_account(account_id)
            return [(row, _part(tables, row, "card")) for row in rows]

        found = await self._database.read(unit)
        return ClassifierList(
            classifiers=[_info(row, await self._card(part)) for row, part in found]
        )

    async def get(self, account_id: str, reference: str) -> Classifier:
        """Raises Problem `not_found`, also for those of other accounts."""

        def unit(tables: Tables) -> tuple[ClassifierRow, ClassifierPartRow]:
            row = _find(tables, account_id, reference)
            return row, _part(tables, row, "card")

        row, part = await self._database.read(unit)
        return _shown(row, await self._card(part))

    async def file(self, account_id: str, reference: str) -> ClassifierFile:
        """Raises Problem `not_found`."""
        row, opened = await self._opened(account_id, reference)
        content = base64.b64encode(opened.file).decode()
        return ClassifierFile(name=row.name, version=row.version, file=content)

    async def remove(self, actor: Actor, account_id: str, reference: str) -> DeletedClassifier:
        """Delete one version, or all of a name, with their examples. Raises Problem `not_found`."""
        name, _, version = reference.partition("@")

        def unit(tables: Tables) -> list[ClassifierRow]:
            row = _find(tables, account_id, reference)
            gone = [row] if version else tables.classifiers.versions(account_id, name)
            for one in gone:
                tables.classifiers.remove(one.id)
            tables.classifier_parts.remove_all(one.id for one in gone)
            self._trail.add(tables, actor.entry("classifiers.delete", reference, account_id))
            return gone

        gone = await self._database.write(unit)
        for row in gone:
            self._open.pop(row.id, None)
        return DeletedClassifier(name=name, versions=len(gone))

    async def applied(
        self, account_id: str, request: ClassifyRequest, reference: str
    ) -> tuple[ClassifyRequest, Attached]:
        """The request with the version and the model that it comes to, and the classifier's file.

        Raises Problem `not_found`, `unsupported_parameter` where it names another model.
        """
        row, opened = await self._opened(account_id, reference)
        model = opened.card.model
        if request.model not in (None, model):
            raise Problem(
                "unsupported_parameter",
                f"the classifier {_named(row)} is for the model {model!r}",
                hint="Leave model away: the classifier knows its own.",
                param="model",
            )
        request = request.model_copy(update={"classifier": _named(row), "model": model})
        return request, Attached(FIELD, row.digest, opened.file)

    def export_within(self, tables: Tables, row: ClassifierRow) -> dict[str, Any]:
        """The contents of a classifier, as its owner takes them away."""
        contents: dict[str, Any] = {}
        for part in ("card", "head", "examples"):
            found = tables.classifier_parts.get(row.id, part)
            if found is not None:
                plain = _opened_within(self._vault, tables, found)
                is_file = part == "head"
                contents[part] = base64.b64encode(plain).decode() if is_file else msgspec.Raw(plain)
        return contents

    async def _opened(self, account_id: str, reference: str) -> tuple[ClassifierRow, _Open]:
        row = await self._database.read(lambda tables: _find(tables, account_id, reference))
        if row.id not in self._open:
            part = await self._database.read(lambda tables: _part(tables, row, "head"))
            file = await self._unsealed(part)
            head = await asyncio.to_thread(heads.read, file)
            self._open[row.id] = _Open(file, head.card)
            while len(self._open) > OPEN:
                self._open.popitem(last=False)
        self._open.move_to_end(row.id)
        return row, self._open[row.id]

    async def _card(self, part: ClassifierPartRow) -> ClassifierCard:
        return ClassifierCard.model_validate_json(await self._unsealed(part))

    async def _unsealed(self, part: ClassifierPartRow) -> bytes:
        context = _context(part.classifier_id, part.part)
        return await self._vault.unseal(part.account_id, context, part.sealed)


def resealed(vault: Sealer, tables: Tables, row: ClassifierPartRow) -> ClassifierPartRow:
    """Encrypted anew with the account's newest key."""
    context = _context(row.classifier_id, row.part)
    plain = _opened_within(vault, tables, row)
    return replace(row, sealed=vault.seal_within(tables, row.account_id, context, plain))


def check_embedder(card: ClassifierCard, fingerprint: str) -> None:
    """Raises Problem `conflict` where the model here makes other vectors than the card's."""
    if card.fingerprint != fingerprint:
        raise Problem(
            "conflict",
            f"the classifier is for {card.model} with fingerprint {card.fingerprint[:12]}, and "
            f"the one here has {fingerprint[:12]}",
            hint="Pull the same model, or create the classifier here from its examples.",
            param="file",
        )


def _opened_within(vault: Sealer, tables: Tables, row: ClassifierPartRow) -> bytes:
    context = _context(row.classifier_id, row.part)
    return vault.unseal_within(tables, row.account_id, context, row.sealed)


def _find(tables: Tables, account_id: str, reference: str) -> ClassifierRow:
    name, _, version = reference.partition("@")
    for row in tables.classifiers.versions(account_id, name):
        if not version or str(row.version) == version:
            return row
    raise Problem(
        "not_found",
        f"there is no classifier {reference!r}",
        hint="GET /v1/classifiers lists those of the account.",
    )


def _part(tables: Tables, row: ClassifierRow, part: Part) -> ClassifierPartRow:
    found = tables.classifier_parts.get(row.id, part)
    if found is None:  # deleted since
        raise Problem("not_found", f"there is no classifier {_named(row)!r}")
    return found


def _context(classifier_id: str, part: Part) -> bytes:
    return f"classifiers|{classifier_id}|{part}".encode()


def _named(row: ClassifierRow) -> str:
    return f"{row.name}@{row.version}"


def _info(row: ClassifierRow, card: ClassifierCard) -> ClassifierInfo:
    return ClassifierInfo(
        name=row.name,
        version=row.version,
        model=card.model,
        labels=len(card.labels),
        examples=card.evaluation.examples,
        accuracy=card.evaluation.accuracy,
        digest=row.digest,
        created_at=moment(row.created_at),
    )


def _shown(row: ClassifierRow, card: ClassifierCard) -> Classifier:
    return Classifier(**dict(_info(row, card)), card=card)
