"""What a check says, and how checks are made so that none of them stops the others."""

from __future__ import annotations

import functools
import shlex
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

State = Literal["ok", "weak", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `wrong` keeps the server from working; `weak` is worth knowing."""

    what: str
    state: State
    found: str
    remedy: str | None = None


Check = Callable[[], Iterator[Finding]]


def guarded(check: Check) -> Iterator[Finding]:
    """What a check finds. One that fails is a finding, too; of errors that are not made for people
    only kind and place are told: their text may hold what nobody should see."""
    from llmaas_server.errors import Problem
    from llmaas_server.gateway.kek import KeychainError
    from llmaas_server.storage.failures import StorageError

    try:
        yield from check()
    except (KeychainError, Problem, StorageError) as error:
        yield Finding(_name_of(check), "wrong", str(error), "llmaas doctor")
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(place.filename).name}, line {place.lineno}"
        found = f"cannot be looked at: {type(error).__name__} in {where}"
        yield Finding(_name_of(check), "wrong", found, "report it, with this line")


def word(path: Path) -> str:
    """A path as a shell takes it."""
    return shlex.quote(str(path))


def size(count: int) -> str:
    """Bytes of memory and disks, for people."""
    return f"{count / (1 << 30):.1f} GiB"


def _name_of(check: Check) -> str:
    function = check.func if isinstance(check, functools.partial) else check
    return getattr(function, "__name__", "check").replace("_", " ")
