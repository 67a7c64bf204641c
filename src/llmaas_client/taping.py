"""`Client.record(…)` and `Client.replay(…)`: a client of its own, or one made from another."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

if TYPE_CHECKING:
    from .calling import Calling

ClientT_co = TypeVar("ClientT_co", bound="Calling", covariant=True)
ClientT = TypeVar("ClientT", bound="Calling")


class Taped(Protocol[ClientT_co]):
    """Makes a client that writes its answers to a cassette, or takes them from it."""

    def __call__(self, cassette: str | PathLike[str], **options: Any) -> ClientT_co: ...


class Recording:
    """Of a class, it makes a client with `options`; of a client, one over the same connections."""

    def __init__(self, end: Literal["recorder", "player"]) -> None:
        self._end: Literal["recorder", "player"] = end

    def __get__(self, client: ClientT | None, owner: type[ClientT]) -> Taped[ClientT]:
        def make(cassette: str | PathLike[str], **options: Any) -> ClientT:
            from .cassette import tape

            if client is not None and options:
                raise TypeError(f"this client has its own: {', '.join(options)}")
            origin = owner(**options) if client is None else client
            return origin._taped(tape(self._end, cassette), owns=client is None)  # pyright: ignore[reportPrivateUsage]

        make.__doc__ = _DOC[self._end]
        return make


_DOC = {
    "recorder": """A client that writes each answer to a file, to be shared and replayed.

    client = Client.record("cassette.jsonl")

    The file is written anew. It holds requests and answers, and never a key.
    """,
    "player": """A client that gives the answers of a file again, and uses no network.

    client = Client.replay("cassette.jsonl")

    A request that was not recorded raises `NotRecorded`.
    """,
}
