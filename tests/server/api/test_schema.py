"""The description of the API against the server: what it says is what is served, and nothing that
can be sent brings the server down. Cases are made by schemathesis, right and wrong ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, CheckContext, GenerationMode, Response
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from llmaas_client.wire.errors import ERRORS
from llmaas_server.settings import Settings
from support.front import Front, front

EXAMPLES = 8
"""For each operation and each kind of case: the whole file takes about half a minute."""


def no_accident(context: CheckContext, response: Response, case: Case[Any]) -> bool | None:
    """A deadline that is over is no fault of the server: cases have very short ones."""
    if response.status_code == ERRORS["deadline_exceeded"].status:
        return None
    return not_a_server_error(context, response, case)


CHECKS = [
    no_accident,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    home = tmp_path_factory.mktemp("home")
    with front(Settings(home=home, backend="fake", registration="open")) as running:
        yield running


@pytest.fixture(scope="module")
def operations(server: Front) -> list[Any]:
    document = server.http.get("/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
    return [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]


def test_every_operation_is_tried(server: Front, operations: list[Any]) -> None:
    document = server.http.get("/openapi.json").json()
    described = {(method, path) for path, item in document["paths"].items() for method in item}
    assert {(one.method, one.path) for one in operations} == described
    assert len(described) > 20


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_only_what_is_described_happens(
    server: Front, operations: list[Any], mode: GenerationMode
) -> None:
    failures = []
    with requests.Session() as session:
        for operation in operations:
            try:
                probe(server, session, operation, mode)
            except BaseExceptionGroup as group:
                failures += [f"{operation.label}: {one}" for one in group.exceptions]
            except Exception as error:
                failures.append(f"{operation.label}: {type(error).__name__}: {error}")
    assert not failures, "\n\n".join(failures)


def probe(server: Front, session: requests.Session, operation: Any, mode: GenerationMode) -> None:
    """Send cases of one operation. Raises what schemathesis found."""
    if mode is GenerationMode.NEGATIVE and not takes_anything(operation):
        return
    wanted = [name for one in operation.definition.raw["security"] for name in one]
    key = server.key if "inference_key" in wanted else server.management_key

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Case[Any]) -> None:
        case.call_and_validate(
            base_url=server.url,
            session=session,
            headers={"authorization": f"Bearer {key}"},
            checks=CHECKS,
        )

    send()


def takes_anything(operation: Any) -> bool:
    """Whether there is something that can be wrong."""
    return bool(operation.body or operation.path_parameters or operation.query)
