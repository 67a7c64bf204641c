"""constraints.txt pins everything that the project depends on by itself, and nothing else."""

from __future__ import annotations

import re
import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from support.sources import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
# psycopg[binary] is one requirement and two distributions.
PARTS_OF_OTHERS = {"psycopg-binary"}


def requirements() -> dict[str, Requirement]:
    extras = PROJECT["optional-dependencies"].values()
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in extra)]
    parsed = [Requirement(line) for line in lines]
    return {canonicalize_name(one.name): one for one in parsed}


def pins() -> dict[str, Version]:
    text = (ROOT / "constraints.txt").read_text("utf-8")
    found = re.findall(r"^([\w.-]+)==(\S+)$", text, re.MULTILINE)
    return {canonicalize_name(name): Version(version) for name, version in found}


def test_every_line_is_an_exact_pin() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pinned = [line for line in lines if line and not line.startswith("#")]
    assert len(pinned) == len(pins())


def test_what_the_project_needs_is_pinned() -> None:
    assert set(pins()) - PARTS_OF_OTHERS == set(requirements())


def test_pins_are_within_the_ranges_of_the_project() -> None:
    outside = [
        str(one) for name, one in requirements().items() if pins()[name] not in one.specifier
    ]
    assert not outside
