"""What a map needs before its first request: arguments that hold, its checkpoint, its display.

And what is left of one that ends early."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

from llmaas_client.clock import Clock
from llmaas_client.flow import request_of

from .checkpoint import Checkpoint
from .items import MapItem, MapResult
from .progress import Display, display_for
from .scheduler import Scheduler
from .work import In, Job, Val, Work


@contextmanager
def opened(
    job: Job[In, Val], clock: Clock, defaults: Mapping[str, Any]
) -> Generator[tuple[Scheduler[In, Val], Display]]:
    """Raises LLMaaSError for arguments or a checkpoint that cannot be used."""
    options, work = job.options, job.work
    arguments = arguments_of(work, defaults)
    kept = (
        nullcontext()
        if options.checkpoint is None
        else Checkpoint(options.checkpoint, work.task, arguments)
    )
    with kept as checkpoint:
        scheduler = Scheduler(job, clock, checkpoint)
        display = display_for(options.progress, work.task, clock.now)
        try:
            yield scheduler, display
        finally:
            display.show(scheduler.progress(), is_last=True)


@contextmanager
def keeping(
    job: Job[In, Val],
    scheduler: Scheduler[In, Val],
    stop: type[BaseException],
    stopped: Callable[[MapResult[Val]], BaseException],
    given: Sequence[MapItem[Val]] = (),
) -> Generator[None]:
    """What ends a map early gets what was done by then: `given`, and what was not handed out.

    An error has it as `.results`; instead of `stop` it is raised within `stopped`.
    """

    def results() -> MapResult[Val]:
        return result_of(job, scheduler, [*given, *scheduler.rest()], is_whole=False)

    try:
        yield
    except stop:
        raise stopped(results()) from None
    except Exception as error:
        vars(error)["results"] = results()
        raise


def arguments_of(work: Work[In, Val], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """All that a request has beside the inputs, as plain data."""
    request = request_of(work.call([work.example]), defaults)
    fields = {} if request is None else request.model_dump(mode="json", exclude_unset=True)
    inputs = fields.pop(work.field, None)
    before: list[Any] = inputs[:-1] if isinstance(inputs, list) else []  # pyright: ignore[reportUnknownVariableType]
    return {**fields, **({work.field: before} if before else {})}


def result_of(
    job: Job[In, Val],
    scheduler: Scheduler[In, Val],
    items: Iterable[MapItem[Val]],
    *,
    is_whole: bool,
) -> MapResult[Val]:
    """What was done, in the order of the inputs."""
    scheduler.progress()  # which notes how long it took
    return MapResult(
        items,
        scheduler.sums,
        task=job.work.task,
        row=job.work.row,
        on_error=job.options.on_error,
        row_labels=job.index,
        is_whole=is_whole,
    )
