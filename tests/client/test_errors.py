from __future__ import annotations

import copy
import pickle

import pytest

from llmaas_client import errors
from llmaas_client.errors import DeadlineExceeded, LLMaaSError, StreamInterrupted
from llmaas_client.refusals import BY_CODE, BY_FAMILY
from llmaas_client.wire.errors import ERRORS

CLASSES = [
    item
    for item in vars(errors).values()
    if isinstance(item, type) and issubclass(item, LLMaaSError)
]


def test_every_code_has_one_class() -> None:
    assert set(BY_CODE) == set(ERRORS)
    assert len(set(BY_CODE.values())) == len(ERRORS)


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_a_class_belongs_to_the_family_of_its_code(code: str) -> None:
    row = next(row for row in ERRORS.values() if row.code == code)
    assert issubclass(BY_CODE[code], BY_FAMILY[row.type])


@pytest.mark.parametrize("cls", CLASSES)
def test_the_module_draws_every_class(cls: type[LLMaaSError]) -> None:
    assert errors.__doc__ is not None
    assert cls.__name__ in errors.__doc__
    assert cls.__doc__


@pytest.mark.parametrize("cls", CLASSES)
def test_survives_pickle_and_copy(cls: type[LLMaaSError]) -> None:
    error = cls("it broke", hint="Mend it.")
    error.attempts, error.request_id, error.retry_after = 3, "req-1", 2.5
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(twin) is cls
        assert vars(twin) == vars(error)
        assert str(twin) == str(error) == "it broke. Mend it."


def test_what_is_special_survives_pickle() -> None:
    cut = pickle.loads(pickle.dumps(StreamInterrupted("cut", partial="Once upon")))
    assert cut.partial == "Once upon"
    late = DeadlineExceeded("late")
    late.phase = "body"
    assert pickle.loads(pickle.dumps(late)).phase == "body"


@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("ContextOverflow", ValueError),
        ("ConfigurationError", ValueError),
        ("ConnectionFailed", ConnectionError),
        ("StreamInterrupted", ConnectionError),
        ("DeadlineExceeded", TimeoutError),
        ("ModelNotFound", LookupError),
        ("NotAllowed", PermissionError),
    ],
)
def test_is_caught_as_the_builtin_that_it_is(name: str, builtin: type[Exception]) -> None:
    assert issubclass(getattr(errors, name), builtin)


@pytest.mark.parametrize(
    ("message", "hint", "text"),
    [
        ("it broke", None, "it broke"),
        ("It broke.", "Mend it.", "It broke. Mend it."),
        ("it broke: mend it", "mend it", "it broke: mend it"),
        ("two\nlines", None, "two lines"),
    ],
)
def test_text_is_one_line_with_the_hint(message: str, hint: str | None, text: str) -> None:
    assert str(LLMaaSError(message, hint=hint)) == text
