"""What a map gives: a value for each input, or what was wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

from llmaas_client.errors import ConfigurationError, LLMaaSError
from llmaas_client.meter import Used, used_by

if TYPE_CHECKING:
    from llmaas_client.wire.base import Result, ResultWarning, Usage

    from .work import OnError

Val = TypeVar("Val")
Val_co = TypeVar("Val_co", covariant=True)


@dataclass(frozen=True, slots=True)
class MapItem(Generic[Val]):
    """One input and what came of it."""

    index: int
    """Of the input, from 0."""
    input: Any
    error: LLMaaSError | None = None
    """What was wrong, where something was."""
    request_id: str | None = None
    """None where the value is of an earlier run."""
    model: str | None = None
    answer: Val | None = field(default=None, repr=False)

    @property
    def ok(self) -> bool:
        return self.error is None

    @property
    def value(self) -> Val:
        """What the task gave. Raises the error of an input that failed."""
        if self.error is not None:
            raise self.error
        return cast("Val", self.answer)


@dataclass(slots=True)
class Sums:
    """What all requests of a map took."""

    used: Used = field(default_factory=Used)
    requests: int = 0
    retries: int = 0
    """Requests that the server refused for now, and that were sent again."""
    resumed: int = 0
    """Values that were in the checkpoint."""
    seconds: float = 0.0
    warnings: dict[tuple[str, str], ResultWarning] = field(
        default_factory=dict[tuple[str, str], "ResultWarning"]
    )

    def add(self, result: Result) -> None:
        self.requests += 1
        self.used += used_by(result)
        for warning in result.warnings:
            self.warnings.setdefault((result.model, warning.code), warning)


class MapResult(Sequence[Val_co]):
    """The values in the order of the inputs, to be read as a list.

    With `on_error="return"` an input that failed has its error in its place; with `"skip"` it has
    none. `items` has every input with its index, its value or its error. Of a map that was stopped
    it has what was done until then: `indices` says which.
    """

    def __init__(
        self,
        items: Iterable[MapItem[Val_co]],
        sums: Sums,
        *,
        task: str,
        row: Callable[[Any], Mapping[str, Any]],
        on_error: OnError = "raise",
        row_labels: Any = None,
        is_whole: bool = True,
    ) -> None:
        self.items: list[MapItem[Val_co]] = sorted(items, key=lambda item: item.index)
        self.task = task
        self.is_whole = is_whole
        """Whether all inputs were worked on: False where the map was stopped."""
        self._sums = sums
        self._row = row
        self._row_labels = row_labels
        self._shown = [item for item in self.items if item.ok or on_error != "skip"]
        self._values = [item.answer if item.ok else item.error for item in self._shown]

    @overload
    def __getitem__(self, index: int) -> Val_co: ...
    @overload
    def __getitem__(self, index: slice) -> list[Val_co]: ...
    def __getitem__(self, index: int | slice) -> Val_co | list[Val_co]:
        return cast("Val_co | list[Val_co]", self._values[index])

    def __len__(self) -> int:
        return len(self._values)

    @property
    def indices(self) -> list[int]:
        """Of which input each value is."""
        return [item.index for item in self._shown]

    @property
    def errors(self) -> dict[int, LLMaaSError]:
        """Index of an input -> what was wrong with it."""
        return {item.index: item.error for item in self.items if item.error is not None}

    @property
    def usage(self) -> Usage:
        """Tokens of all requests of this run; what a checkpoint had costs nothing again."""
        return self._sums.used.usage

    @property
    def cost(self) -> Decimal | None:
        """The exact sum of this run; None where nothing has a price."""
        return self._sums.used.cost

    @property
    def requests(self) -> int:
        """Requests that were answered; one has several inputs where the task takes them."""
        return self._sums.requests

    @property
    def retries(self) -> int:
        """Requests that the server refused for now, and that were sent again."""
        return self._sums.retries

    @property
    def resumed(self) -> int:
        """Values that the checkpoint had."""
        return self._sums.resumed

    @property
    def seconds(self) -> float:
        return self._sums.seconds

    @property
    def warnings(self) -> list[ResultWarning]:
        """What results say against themselves: each kind once for each model."""
        return list(self._sums.warnings.values())

    def row_of(self, item: MapItem[Any]) -> Mapping[str, Any]:
        """The columns of one value; none for an input that failed."""
        return {} if item.error else self._row(item.answer)

    @property
    def column_names(self) -> list[str]:
        """Of the columns that a table of the values has."""
        return _names(map(self.row_of, self._shown))

    def to_columns(self) -> dict[str, list[Any]]:
        """Column -> values, with a column `error` where an input failed."""
        rows = [self.row_of(item) for item in self._shown]
        table = {name: [row.get(name) for row in rows] for name in _names(rows)}
        if any(item.error for item in self._shown):
            table["error"] = [item.error and str(item.error) for item in self._shown]
        return table

    def to_pandas(self) -> Any:
        """A `pandas.DataFrame`, with the row labels of the column that was mapped."""
        pandas = _library("pandas")
        labels = self.indices if self._row_labels is None else self._row_labels[self.indices]
        return pandas.DataFrame(self.to_columns(), index=labels)

    def to_polars(self) -> Any:
        """A `polars.DataFrame`."""
        return _library("polars").DataFrame(self.to_columns())

    def _repr_html_(self) -> str:
        """What notebooks show."""
        from llmaas_client.html.others import map_result

        return map_result(self)

    def __rich_repr__(self) -> Iterator[tuple[str, Any]]:
        yield "task", self.task
        yield "values", len(self)
        yield "failed", len(self.errors)
        yield "requests", self.requests
        yield "seconds", round(self.seconds, 1)

    def __repr__(self) -> str:
        failed = len(self.errors)
        parts = [
            f"{len(self.items) - failed} values",
            f"{failed} failed" if failed else "",
            "stopped before its end" if not self.is_whole else "",
            f"{self.resumed} from the checkpoint" if self.resumed else "",
            f"{self.requests} requests",
            f"{self.seconds:.1f} s",
        ]
        return f"<MapResult of {self.task}: {', '.join(part for part in parts if part)}>"


class MapInterrupted(KeyboardInterrupt):
    """Ctrl-C, or the notebook's stop button, ended a map. `results` is what was done by then."""

    def __init__(self, results: MapResult[Any]) -> None:
        super().__init__(f"interrupted: {results!r}; the error's .results has them")
        self.results = results

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.results,)


def _names(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Of the columns that some row has, in the order in which they come up."""
    return list(dict.fromkeys(name for row in rows for name in row))


def _library(name: str) -> Any:
    """A library that is used where it is installed."""
    try:
        return import_module(name)
    except ImportError:
        raise ConfigurationError(
            f"{name} is not installed", hint=f"pip install {name}, or use to_columns()."
        ) from None
