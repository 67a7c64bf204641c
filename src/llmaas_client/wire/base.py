"""What every shape on the wire has in common.

Requests are strict: wrong types are refused, not converted, and unknown fields are named.
Results are open: a newer server may add fields, and they are kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from reprlib import Repr
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr
from pydantic_core import PydanticCustomError

MAX_TEXTS = 1024
"""Most texts in one request."""


class WireModel(BaseModel):
    """A frozen value that crosses the network."""

    # protected_namespaces: results have a field called `model`.
    model_config = ConfigDict(frozen=True, protected_namespaces=())

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """What differs from the usual, long values shortened: one line for people."""
        for name, value in super().__repr_args__():
            field = type(self).model_fields.get(name or "")
            if field is None or value != field.get_default(call_default_factory=True):
                yield name, _Brief(value)

    def _repr_html_(self) -> str | None:
        """What notebooks show; None where there is no picture of it."""
        from llmaas_client.html import draw  # late: whoever only exchanges it needs none

        return draw(self)


class _Brief:
    """A value that is shown in short."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __repr__(self) -> str:
        return _SHORT.repr(self._value)


class _Short(Repr):
    """Repr, with room for what is told at a glance."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlist = self.maxtuple = 4
        self.maxdict, self.maxlevel = 6, 3
        self.maxstring, self.maxother = 100, 160


_SHORT = _Short()


class Request(WireModel):
    """The body of a request. Unknown fields and wrong types are errors."""

    model_config = ConfigDict(extra="forbid", strict=True)


class TaskRequest(Request):
    """The body of `POST /v1/tasks/{task}`."""

    model: str | None = Field(
        default=None,
        min_length=1,
        max_length=512,
        description="A model's name. Without it the server chooses: GET /v1/tasks has the rule.",
    )


class Usage(WireModel):
    """Tokens that a request used. `cached_tokens` are those of the prompt not computed anew."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


class Timing(WireModel):
    """Where the time of a request went, in milliseconds, as the server measured it."""

    queue_ms: float = 0.0
    prefill_ms: float = 0.0
    decode_ms: float = 0.0
    total_ms: float = 0.0


class ModelChoice(WireModel):
    """Why a result is of the model that it is of.

    `by`: the `request` named it; it is the task's `default`; the default could not hold the
    `length` of the input; it is not among the models `installed`; or not among those `permitted`
    to the key.
    """

    by: str
    reason: str


class ResultWarning(WireModel):
    """Why a result may be worth less than it looks."""

    code: str
    """What it is about, such as `unread_text`; servers to come may know more of them."""
    message: str
    """What is wrong, with the figures, and what to do."""


class Result(WireModel):
    """What every result has: who answered, what it used, how long it took, what it cost."""

    model_config = ConfigDict(extra="allow")

    id: str
    model: str
    model_choice: ModelChoice | None = None
    usage: Usage
    timing: Timing
    cost: str | None = Field(
        default=None,
        description="The price of this request as a decimal number; null where no price is set.",
    )
    warnings: list[ResultWarning] = Field(
        default_factory=list[ResultWarning],
        description="Why the result may be worth less than it looks; empty as a rule.",
    )

    _about: tuple[str, ...] = PrivateAttr(default=())

    @property
    def request_id(self) -> str:
        """The id to quote when you report a problem; the server's log has the same one."""
        return self.id

    @property
    def about(self) -> tuple[str, ...]:
        """The texts that were sent, where a client knows them: for what shows the result."""
        return self._about


def invalid(message: str, param: str) -> PydanticCustomError:
    """What a validator of a whole object raises about one of its fields."""
    return PydanticCustomError("invalid_request", "{message}", {"message": message, "param": param})


def check_text(text: str) -> str:
    """Refuse text that no model can read as it stands: nothing, or a NUL character."""
    if not text.strip():
        raise PydanticCustomError("empty_text", "text is empty")
    return check_characters(text)


def check_characters(text: str) -> str:
    """Refuse NUL, which ends strings in half of the software between here and the model, and lone
    surrogates, which no encoding has.
    """
    position = text.find("\0")
    if position >= 0:
        raise PydanticCustomError(
            "invalid_text",
            "text has a NUL character at position {position}",
            {"position": position},
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise PydanticCustomError(
            "invalid_text",
            "text has half of a surrogate pair at position {position}",
            {"position": error.start},
        ) from None
    return text


Text = Annotated[str, AfterValidator(check_text)]
"""Text with something in it."""

Characters = Annotated[str, AfterValidator(check_characters)]
"""Text that may be empty."""

Texts = Text | Annotated[list[Text], Field(min_length=1, max_length=MAX_TEXTS)]
