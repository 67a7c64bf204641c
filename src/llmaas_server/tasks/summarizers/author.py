"""Generates for one call: a prompt in, a summary that keeps its form out."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from llmaas_server.runtime.interface import Model, Runtime
from llmaas_server.runtime.request import Finish, Finished, Generation
from llmaas_server.tasks.base import Caller
from llmaas_server.tasks.meter import Meter

from .writers import Writer
from .writing import Writing


class Author:
    """Cancelling what it does, or closing its generators, frees the sequence within one step."""

    def __init__(self, model: Model, runtime: Runtime, caller: Caller, meter: Meter) -> None:
        self._model = model
        self._runtime = runtime
        self._caller = caller
        self._meter = meter

    async def write(
        self, ids: tuple[int, ...], writer: Writer, writing: Writing
    ) -> AsyncGenerator[str, None]:
        """Fill `writing` until it is full or the model is done; yields what it gains."""
        generation = Generation(
            prompt=ids,
            max_tokens=writer.answer_tokens,
            sampling=writer.sampling,
            stop_ids=self._model.stop_ids,
            tenant=self._caller.tenant,
            deadline=self._caller.deadline,
        )
        text = self._model.tokenizer.stream()
        complete = False
        tokens = self._meter.generate(self._runtime, self._model, generation)
        async with aclosing(tokens) as stream:
            async for item in stream:
                if isinstance(item, Finished):
                    complete = item.reason is Finish.STOP
                elif gained := writing.push(text.push(item.id)):
                    yield gained
                if writing.full:
                    return
        gained = writing.push(text.finish()) + writing.finish(complete=complete)
        if gained:
            yield gained

    async def written(self, ids: tuple[int, ...], writer: Writer) -> Writing:
        """A summary to be read by the model again, or to be taken apart."""
        writing = Writing(writer.brief.shape, echoes=writer.echoes)
        async with aclosing(self.write(ids, writer, writing)) as gains:
            async for _ in gains:
                pass
        return writing

    async def summary(self, ids: tuple[int, ...], reader: Writer) -> str:
        """The summary of a part; never longer than the room that the merging plans for it."""
        writing = await self.written(ids, reader)
        tokenizer = self._model.tokenizer
        ids_written = tokenizer.encode(writing.summary, special=False)
        if len(ids_written) <= reader.answer_tokens:
            return writing.summary
        return tokenizer.decode(ids_written[: reader.answer_tokens])
