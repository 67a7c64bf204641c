from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.console import Person, served
from support.front import Front


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """Shared by the tests of a module."""
    with served(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Front]:
    """One of its own, for tests that change passwords."""
    with served(tmp_path) as running:
        yield running


@pytest.fixture
def person(server: Front) -> Iterator[Person]:
    """Nobody yet."""
    with Person(server) as person:
        yield person


@pytest.fixture
def owner(person: Person) -> Person:
    """The one who runs the server, signed in, with a password."""
    person.become_owner()
    return person
