"""`map` and `imap`: a task for many inputs."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from os import PathLike

    from llmaas_client.batch.progress import OnProgress
    from llmaas_client.batch.work import Concurrency, Job, OnError, Options, Work

In = TypeVar("In")
Many = TypeVar("Many")
"""What `map` gives: a `MapResult`, or a coroutine of one."""
Each = TypeVar("Each")
"""What `imap` gives: an iterator of items, or an async one."""


@dataclass(frozen=True, slots=True)
class Mapper(Generic[Many, Each]):
    """How a client carries out maps."""

    all: Callable[[Job[Any, Any]], Many]
    each: Callable[[Job[Any, Any]], Each]


class Mapped(Generic[In, Many, Each]):
    """A task that can be asked for many inputs at once."""

    _mapper: Mapper[Many, Each] | None

    def map(
        self,
        inputs: Iterable[In] | AsyncIterable[In],
        /,
        *,
        concurrency: Concurrency = "auto",
        batch_size: int | None = None,
        on_error: OnError = "raise",
        progress: bool | OnProgress = False,
        checkpoint: str | PathLike[str] | None = None,
        **arguments: Any,
    ) -> Many:
        """The task for each of many inputs; the values come in their order.

            out = client.classify.map(texts, labels=["praise", "complaint"], progress=True)
            out[0].label

        Inputs go out in requests of several, where the task takes several, and as many requests
        at once as the server is glad of: more while it answers at once, fewer when it refuses or
        lets them wait. What it refuses for now is sent again when it says.

        Args:
            inputs: A list, a generator, a column of pandas or polars; with `AsyncClient` an
                async iterable, too.
            concurrency: Requests under way at once: `"auto"`, or a number that is only lowered.
            batch_size: Most inputs of one request.
            on_error: What becomes of an input that is refused: `"raise"` ends the map with its
                error, `"return"` puts the error into its place, `"skip"` leaves it out. An error
                that the next input would meet as well, a wrong key say, always ends the map.
            progress: True shows it in a terminal or a notebook; or a function that is called with
                a `MapProgress`.
            checkpoint: A file that keeps what is done; another run with the same arguments goes
                on from it.
            **arguments: Those of the call for one input.

        Raises:
            MapInterrupted: Ctrl-C; its `results` is what was done by then. Every other error that
                ends a map has `results` as well.
            LLMaaSError: as the tree in `llmaas_client.errors` shows.
        """
        from llmaas_client.batch.work import Options

        options = Options(concurrency, batch_size, on_error, progress, checkpoint, ordered=False)
        return self._mapping().all(self._job(inputs, options, arguments))

    def imap(
        self,
        inputs: Iterable[In] | AsyncIterable[In],
        /,
        *,
        ordered: bool = True,
        concurrency: Concurrency = "auto",
        batch_size: int | None = None,
        on_error: OnError = "raise",
        progress: bool | OnProgress = False,
        checkpoint: str | PathLike[str] | None = None,
        **arguments: Any,
    ) -> Each:
        """The same, one `MapItem` after the other, while the rest is under way.

            for item in client.classify.imap(texts, labels=["praise", "complaint"]):
                print(item.index, item.value.label)

        Inputs are taken when they are needed, so that they may be without end. Leaving the loop
        ends what is under way.

        Args:
            ordered: In the order of the inputs; else as they are done.
        """
        from llmaas_client.batch.work import Options

        options = Options(concurrency, batch_size, on_error, progress, checkpoint, ordered)
        return self._mapping().each(self._job(inputs, options, arguments))

    def _work(self, arguments: Mapping[str, Any]) -> Work[In, Any]:
        """The task with these arguments, as plain functions."""
        raise NotImplementedError

    def _job(
        self,
        inputs: Iterable[In] | AsyncIterable[In],
        options: Options,
        arguments: Mapping[str, Any],
    ) -> Job[In, Any]:
        from llmaas_client.batch.work import Job

        _check(type(self), arguments)
        return Job(self._work(arguments), inputs, options)

    def _mapping(self) -> Mapper[Many, Each]:
        if self._mapper is None:
            raise TypeError("a map has no raw form: it takes many answers to make one result")
        return self._mapper


def _check(task: type[Any], arguments: Mapping[str, Any]) -> None:
    """Raises TypeError for an argument that a call does not have, as the call would."""
    known = inspect.signature(task.__call__).parameters
    for name in arguments:
        if name not in known or known[name].kind is not inspect.Parameter.KEYWORD_ONLY:
            raise TypeError(f"map() got an unexpected keyword argument {name!r}")


def given_back(call: Any) -> Any:
    """Runs nothing: the call itself is the result."""
    return call
