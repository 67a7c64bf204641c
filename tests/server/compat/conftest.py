"""One server with the fake backend for all tests of a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from llmaas_server.settings import Settings
from support.front import Front, front


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    home: Path = tmp_path_factory.mktemp("home")
    with front(Settings(home=home, cache=home / "cache", backend="fake")) as running:
        yield running
