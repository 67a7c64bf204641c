"""The values of a call: what is wanted, the steps to it, and what comes of each step.

Send  -> Head          Read -> bytes, empty at the end          Sleep, Drop, Emit -> None
Apply -> Returned      where a connection fails, any of them -> Broken
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar

from .clock import Deadline
from .errors import Phase

if TYPE_CHECKING:
    from .wire.base import Request
    from .wire.events import Delta, Progress, Start
    from .wire.keys import KeyKind

    Event: TypeAlias = Start | Delta | Progress
    """What a stream says before its result."""
else:
    Event = object  # the shapes are loaded with what makes and reads them

T = TypeVar("T")


class Unset(Enum):
    """The type of an argument that was left out where None has a meaning of its own."""

    UNSET = "the client's own"


UNSET = Unset.UNSET
Timeout: TypeAlias = float | Unset | None
Method: TypeAlias = Literal["GET", "POST", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """What a caller wants, before anything was checked or sent."""

    path: str
    read: Callable[[bytes], T]
    """From the body of the answer, or the data of `done`, to the result. Raises ValidationError."""
    request: Callable[[], Request] | None = None
    """Makes the body. Raises ValidationError or InvalidRequest."""
    timeout: Timeout = UNSET
    any_status: bool = False
    """Whether an answer that can be read is a result even where its status says failure."""
    method: Method | None = None
    """None is POST where there is a body, else GET."""
    key: KeyKind | None = "inference"
    """Which key goes along; None where it is for those who have none."""
    max_retries: int | None = None
    """None is the client's own."""
    idempotency_key: str | None = None
    """None is a new one: this call has nothing to do with another."""

    @property
    def verb(self) -> Method:
        return self.method or ("GET" if self.request is None else "POST")


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request and wait for the head of the answer."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    deadline: Deadline


@dataclass(frozen=True, slots=True)
class Read:
    """Read the next piece of the body."""

    deadline: Deadline


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Drop:
    """Give up the rest of the answer and close its connection."""


@dataclass(frozen=True, slots=True)
class Emit:
    """Hand an event to the caller."""

    event: Event


@dataclass(frozen=True, slots=True)
class Apply:
    """Call a function of the caller's own, between two requests.

    What it raises is raised at this step of the flow. AsyncClient awaits what can be awaited, and
    calls what is no coroutine function in a thread.
    """

    function: Callable[..., Any]
    arguments: Mapping[str, Any]
    positional: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Returned:
    """What a function gave."""

    value: Any


@dataclass(frozen=True, slots=True)
class Head:
    """The head of an answer; header names are in lower case."""

    status: int
    ok: bool
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Broken:
    """A connection that failed. `reason` is a part of a sentence."""

    kind: Literal["connect", "timeout", "lost", "garbled"]
    phase: Phase
    reason: str = ""
    refused: bool = False
    """Whether nothing listens there."""


Action: TypeAlias = Send | Read | Sleep | Drop
Step: TypeAlias = Action | Emit | Apply
Reply: TypeAlias = Head | bytes | Broken | Returned | None
Flow: TypeAlias = Generator[Step, Reply, T]
