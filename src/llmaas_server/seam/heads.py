"""A classifier as one file: safetensors, with its card as metadata.

    length of the header (8 bytes, little-endian) | header (JSON) | weight, float32 [labels, hidden]

Written by the computing side; read by both, with suspicion: the file may come from anywhere.
"""

from __future__ import annotations

import hashlib
import json
import math
from array import array
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from llmaas_client.wire.classifiers import ClassifierCard, PerClass
from llmaas_client.wire.classify import MAX_LABELS
from llmaas_server.errors import Problem

TENSOR = "weight"
METADATA = "llmaas"
MOST_HEADER_BYTES = 8 << 20
MOST_DIMENSIONS = 16_384

_LENGTH_BYTES = 8
_ALIGNMENT = 8


@dataclass(frozen=True, slots=True)
class Head:
    """A classifier: its card, and its weights as bytes, float32 [labels, hidden]."""

    card: ClassifierCard
    weights: bytes


def digest_of(file: bytes) -> str:
    return hashlib.sha256(file).hexdigest()


def write(head: Head) -> bytes:
    """The file; equal heads are equal files."""
    shape = [len(head.card.labels), head.card.dimensions]
    header = {
        "__metadata__": {METADATA: head.card.model_dump_json()},
        TENSOR: {"dtype": "F32", "shape": shape, "data_offsets": [0, len(head.weights)]},
    }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    return len(text).to_bytes(_LENGTH_BYTES, "little") + text + head.weights


def read(file: bytes) -> Head:
    """Raises Problem `invalid_request` with what is wrong with the file."""
    length = int.from_bytes(file[:_LENGTH_BYTES], "little")
    if len(file) < _LENGTH_BYTES or length > MOST_HEADER_BYTES:
        raise _damaged("it does not begin as safetensors")
    start = _LENGTH_BYTES + length
    if start > len(file):
        raise _damaged("it is cut off in its header")
    header = _header(file[_LENGTH_BYTES:start])
    card = _card(header)
    _check_tensor(header.get(TENSOR), card, len(file) - start)
    weights = file[start:]
    if not all(map(math.isfinite, array("f", weights))):
        raise _damaged("a weight is not a finite number")
    return Head(card, weights)


def _header(text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        raise _damaged("its header is not JSON") from None
    if not isinstance(header, dict) or set(header) != {"__metadata__", TENSOR}:
        raise _damaged(f"it holds other tensors than {TENSOR!r}, or no card")
    return header


def _card(header: dict[str, Any]) -> ClassifierCard:
    metadata = header["__metadata__"]
    text = metadata.get(METADATA) if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        raise _damaged("it has no card of llmaas")
    try:
        card = ClassifierCard.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise _damaged(f"its card is not one: {where}: {first['msg']}") from None
    if not 2 <= len(card.labels) <= MAX_LABELS or len(set(card.labels)) != len(card.labels):
        raise _damaged("its labels are too few, too many, or not different")
    if not 1 <= card.dimensions <= MOST_DIMENSIONS:
        raise _damaged(f"it is for vectors of {card.dimensions} dimensions")
    if not (math.isfinite(card.temperature) and card.temperature > 0):
        raise _damaged("its temperature is not a positive number")
    if card.per_class is not None:
        _check_per_class(card.per_class, len(card.labels))
    return card


def _check_per_class(calibration: PerClass, labels: int) -> None:
    scales, offsets = calibration.scales, calibration.offsets
    if len(scales) != labels or len(offsets) != labels:
        raise _damaged("its calibration is of other labels")
    if not all(map(math.isfinite, (*scales, *offsets))) or min(scales) <= 0:
        raise _damaged("its calibration is not of finite numbers, or a scale is not positive")


def _check_tensor(tensor: Any, card: ClassifierCard, size: int) -> None:
    shape = [len(card.labels), card.dimensions]
    wanted = 4 * shape[0] * shape[1]
    described = {"dtype": "F32", "shape": shape, "data_offsets": [0, wanted]}
    if tensor != described:
        raise _damaged(f"its weights are not float32 of shape {shape}")
    if size != wanted:
        raise _damaged(f"it has {size} bytes of weights, and should have {wanted}")


def _damaged(what: str) -> Problem:
    return Problem(
        "invalid_request",
        f"the file is not a classifier: {what}",
        hint="Send a file as GET /v1/classifiers/{name}/export gives it.",
        param="file",
    )
