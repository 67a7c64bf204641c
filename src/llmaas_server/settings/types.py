"""What values of settings may be."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

from llmaas_server.seam.values import Quantization

FolderPath = Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())]
ModelName = Annotated[str, Field(min_length=1, max_length=512)]


def _split(value: object) -> object:
    """`a, b` as the environment has a list."""
    return [name.strip() for name in value.split(",")] if isinstance(value, str) else value


def _pairs(value: object) -> object:
    """`a=b, c=d` as the environment has a table."""
    if not isinstance(value, str):
        return value
    pairs = [pair.rpartition("=") for pair in value.split(",")]
    if wrong := [right.strip() for _, sign, right in pairs if not sign]:
        raise ValueError(f"{wrong[0]!r} is not NAME=VALUE")
    return {left.strip(): right.strip() for left, _, right in pairs}


def _network(value: str) -> str:
    return str(ipaddress.ip_network(value, strict=False))


def _host(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", name := value.lower().rstrip(".")):
        raise ValueError("it is a name such as llm.example.org, without a port")
    return name


_ORIGIN = r"https?://(\[[0-9a-f:]+\]|[a-z0-9.-]+)(:\d{1,5})?"


def _origin(value: str) -> str:
    if not re.fullmatch(_ORIGIN, value.lower()):
        raise ValueError("it is https://NAME or https://NAME:PORT, without a path")
    return value.lower()


def _address(value: str) -> str:
    if not re.fullmatch(_ORIGIN + r"(/[\w./~-]*)?", value, re.ASCII | re.IGNORECASE):
        raise ValueError("it is an address such as http://127.0.0.1:4318")
    return value.rstrip("/")


def _device(value: str) -> str:
    if not re.fullmatch(r"auto|(cpu|cuda(:\d+)?)(,(cpu|cuda(:\d+)?))*", value):
        raise ValueError("it is auto, cpu, cuda or cuda:N; several have commas between them")
    return value


Device = Annotated[str, AfterValidator(_device)]
HttpAddress = Annotated[str, AfterValidator(_address)]
Networks = Annotated[
    tuple[Annotated[str, AfterValidator(_network)], ...], NoDecode, BeforeValidator(_split)
]
HostNames = Annotated[
    tuple[Annotated[str, AfterValidator(_host)], ...], NoDecode, BeforeValidator(_split)
]
OriginNames = Annotated[
    tuple[Annotated[str, AfterValidator(_origin)], ...], NoDecode, BeforeValidator(_split)
]
ModelNames = Annotated[tuple[ModelName, ...], NoDecode, BeforeValidator(_split)]


ModelQuantization = Annotated[dict[ModelName, Quantization], NoDecode, BeforeValidator(_pairs)]
