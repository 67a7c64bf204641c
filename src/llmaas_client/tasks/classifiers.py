"""Classifiers made from examples."""

from __future__ import annotations

import base64
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Generic, TypeAlias, TypeVar
from urllib.parse import quote

from llmaas_client.steps import UNSET, Call, Timeout
from llmaas_client.wire.classifiers import (
    CalibrationChoice,
    Classifier,
    ClassifierCreate,
    ClassifierFile,
    ClassifierImport,
    ClassifierInfo,
    ClassifierList,
    CreatedClassifier,
    DeletedClassifier,
)

from .fields import given

PATH = "/v1/classifiers"

Examples: TypeAlias = Mapping[str, Sequence[str]] | Sequence[tuple[str, str] | Mapping[str, str]]
"""Label -> texts; or pairs of text and label; or rows of `text` and `label`."""

Made = TypeVar("Made")
Listed = TypeVar("Listed")
One = TypeVar("One")
Gone = TypeVar("Gone")
Bytes = TypeVar("Bytes")


class ClassifierShelf(Generic[Made, Listed, One, Gone, Bytes]):
    """What both clients' `classifiers` can do.

    client.classifiers.create("support", {"billing": [...], "delivery": [...]})
    client.classify("Where is my parcel?", classifier="support").label
    """

    def __init__(self, run: Callable[[Call[Any]], Any]) -> None:
        self._making: Callable[[Call[CreatedClassifier]], Made] = run
        self._listing: Callable[[Call[list[ClassifierInfo]]], Listed] = run
        self._run: Callable[[Call[Classifier]], One] = run
        self._deleting: Callable[[Call[DeletedClassifier]], Gone] = run
        self._exporting: Callable[[Call[bytes]], Bytes] = run

    def create(
        self,
        name: str,
        examples: Examples,
        *,
        descriptions: Mapping[str, str] | None = None,
        out_of_scope: Sequence[str] | None = None,
        scope_quantile: float | None = None,
        calibration: CalibrationChoice | None = None,
        model: str | None = None,
        timeout: Timeout = UNSET,
    ) -> Made:
        """Make a classifier, or the next version of one that is there.

        Args:
            name: Letters, digits, `.`, `_` and `-`.
            examples: Label -> texts, or pairs (text, label), or rows of `text` and `label`; two of
                each label at least, eight or more are good.
            descriptions: Label -> what it means, as evidence beside the examples.
            out_of_scope: Texts that deserve none of the labels, to learn what to refuse.
            scope_quantile: Without them: refuse what fits worse than this share of the examples.
            calibration: `temperature`, `per_class`, or `auto`, which takes what is better on
                examples that it has not seen.
            model: An embedding model; without it the server's default for `embed`.
            timeout: Seconds for the whole call with all its retries; None is no limit.

        Raises:
            LLMaaSError: as the tree in `llmaas_client.errors` shows.
        """
        fields = {
            "name": name,
            "examples": rows_of(examples),
            "descriptions": None if descriptions is None else dict(descriptions),
            "out_of_scope": out_of_scope,
            "scope_quantile": scope_quantile,
            "calibration": calibration,
            "model": model,
        }
        return self._making(
            Call(
                PATH,
                CreatedClassifier.model_validate_json,
                request=lambda: ClassifierCreate.model_validate(given(fields)),
                timeout=timeout,
            )
        )

    def list(self, *, timeout: Timeout = UNSET) -> Listed:
        """Those of the account, by name, the newest version first."""
        return self._listing(Call(PATH, _read_list, timeout=timeout))

    def get(self, name: str, *, timeout: Timeout = UNSET) -> One:
        """A classifier with its evaluation; `name@2` is its second version."""
        return self._run(Call(_at(name), Classifier.model_validate_json, timeout=timeout))

    def delete(self, name: str, *, timeout: Timeout = UNSET) -> Gone:
        """Delete one version, `name@2`, or all of a name, and the examples with them."""
        read = DeletedClassifier.model_validate_json
        return self._deleting(Call(_at(name), read, method="DELETE", timeout=timeout))

    def export(self, name: str, *, timeout: Timeout = UNSET) -> Bytes:
        """The classifier as one file: safetensors, with all that is known of it as metadata.

        Its examples are not in it.
        """
        return self._exporting(Call(f"{_at(name)}/export", _read_file, timeout=timeout))

    def import_(self, name: str, file: bytes, *, timeout: Timeout = UNSET) -> One:
        """Bring a file of `export`; refused where the server's model makes other vectors."""
        fields = {"file": base64.b64encode(file).decode()}
        return self._run(
            Call(
                f"{_at(name)}/import",
                Classifier.model_validate_json,
                request=lambda: ClassifierImport.model_validate(fields),
                timeout=timeout,
            )
        )


Classifiers: TypeAlias = ClassifierShelf[
    CreatedClassifier, list[ClassifierInfo], Classifier, DeletedClassifier, bytes
]
AsyncClassifiers: TypeAlias = ClassifierShelf[
    Coroutine[Any, Any, CreatedClassifier],
    Coroutine[Any, Any, list[ClassifierInfo]],
    Coroutine[Any, Any, Classifier],
    Coroutine[Any, Any, DeletedClassifier],
    Coroutine[Any, Any, bytes],
]


def rows_of(examples: Examples) -> Any:
    """As the wire has them; what is no example is left for the wire to refuse."""
    if isinstance(examples, Mapping):
        return {label: [*texts] for label, texts in examples.items()}
    return [
        {"text": row[0], "label": row[1]} if isinstance(row, tuple) and len(row) == 2 else row
        for row in examples
    ]


def _at(name: str) -> str:
    return f"{PATH}/{quote(name, safe='@')}"


def _read_list(body: bytes) -> list[ClassifierInfo]:
    return ClassifierList.model_validate_json(body).classifiers


def _read_file(body: bytes) -> bytes:
    return base64.b64decode(ClassifierFile.model_validate_json(body).file)
