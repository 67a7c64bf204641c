"""The description of the API: valid, whole, and with examples that are true."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator, ValidationError
from openapi_spec_validator import OpenAPIV31SpecValidator
from scripts.reference import recording

from llmaas_client.wire.sse import Decoder
from llmaas_server.api.tags import TAGS, tag_of
from llmaas_server.settings import Settings
from support.front import Front, front

JSON = "application/json"
EVENTS = "text/event-stream"
UNFIT = {"get_openapi_json"}
"""Operations whose answer is no example of anything: the document itself."""
RUNS = ("tasks", "openai", "huggingface")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    home = tmp_path_factory.mktemp("home")
    with front(Settings(home=home, backend="fake", registration="open")) as running:
        yield running


@pytest.fixture(scope="module")
def document(server: Front) -> dict[str, Any]:
    described: dict[str, Any] = server.http.get("/openapi.json").json()
    return described


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, ways in document["paths"].items():
        for method, operation in ways.items():
            yield method, path, operation


def check(document: dict[str, Any], schema: dict[str, Any], value: Any) -> None:
    """Raises where the value is not of the schema, which may point into the document."""
    whole = {**schema, "components": document["components"]}
    Draft202012Validator(whole).validate(value)


def test_it_is_valid(document: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"] == "3.1.0"
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_every_operation_says_what_it_is(document: dict[str, Any]) -> None:
    tags = {tag["name"] for tag in document["tags"]}
    used = set()
    for method, path, operation in operations(document):
        (tag,) = operation["tags"]
        used.add(tag)
        answer = operation["responses"]["200"]
        assert operation["summary"]
        assert operation["description"].startswith("Needs")
        assert "x-request-id" in answer["headers"]
        assert answer["content"]
        assert "500" in operation["responses"]
        if method in ("post", "patch") and "requestBody" in operation:
            assert "413" in operation["responses"], path
    assert used == tags


def test_no_address_is_without_a_tag() -> None:
    assert all(tag_of(path) == tag.name for tag in TAGS for path in tag.paths)
    assert tag_of("/v1/sign-in-links") == "accounts"
    for stray in ("/v1", "/v1/keysmith", "/elsewhere"):
        with pytest.raises(ValueError, match="belongs to no tag"):
            tag_of(stray)


def test_keys_and_what_they_must_be_for(document: dict[str, Any]) -> None:
    def needs(method: str, path: str) -> Any:
        return document["paths"][path][method]["security"]

    assert needs("post", "/v1/tasks/chat") == [{"inference_key": ["chat"]}]
    assert needs("post", "/v1/keys") == [{"management_key": ["keys:write"]}]
    assert needs("get", "/v1/models") == [{"inference_key": []}, {"management_key": []}]
    assert needs("get", "/health/live") == []
    assert document["components"]["securitySchemes"].keys() == {"inference_key", "management_key"}


def test_parameters_have_shapes(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        for one in operation.get("parameters", ()):
            assert one["description"], f"{path}: {one['name']}"
            if "example" in one:
                check(document, one["schema"], one["example"])
            else:
                assert one["in"] != "path", path
    told = document["paths"]["/v1/usage"]["get"]["parameters"]
    usage = {one["name"]: one for one in told}
    assert usage["by"]["schema"]["items"]["enum"]
    assert (usage["by"]["style"], usage["by"]["explode"]) == ("form", False)
    assert usage["limit"]["schema"]["maximum"] > 1
    headers = {
        one["name"]: one
        for one in document["paths"]["/v1/tasks/embed"]["post"]["parameters"]
        if one["in"] == "header"
    }
    assert set(headers) == {"idempotency-key", "llmaas-deadline-ms"}
    assert headers["llmaas-deadline-ms"]["schema"]["exclusiveMinimum"] == 0


def test_every_field_is_described_or_plain(document: dict[str, Any]) -> None:
    """Docstrings below fields are their descriptions."""
    schemas = document["components"]["schemas"]
    assert "joins" in str(schemas["CalledPiece"]) or "join" in str(schemas["CalledPiece"])
    assert schemas["ClassifyRequest"]["properties"]["threshold"]["description"]
    assert not any("title" in one for one in schemas["ChatRequest"]["properties"].values())


def test_generators_of_clients_can_read_it(document: dict[str, Any]) -> None:
    """They give up constants that are no plain values, enums of several kinds, and defaults of a
    choice between shapes."""
    tried = 0
    for one in schemas_in(document["components"]["schemas"]):
        assert isinstance(one.get("const", ""), str | int | float), one
        kinds = {type(value) for value in one.get("enum", ()) if value is not None}
        assert len(kinds) < 2, one
        assert not ("oneOf" in one and isinstance(one.get("default"), dict)), one
        tried += "const" in one or "enum" in one
    assert tried > 100


def schemas_in(node: Any) -> Iterator[dict[str, Any]]:
    """All objects of a tree: of these, whatever may be a schema."""
    if isinstance(node, dict):
        yield node
        node = [*node.values()]
    if isinstance(node, list):
        for one in node:
            yield from schemas_in(one)


@pytest.mark.parametrize(
    ("body", "field", "right", "wrong"),
    [
        ("ChatBody", "store", [False, None], [True, 1]),
        ("ChatBody", "presence_penalty", [0, 0.0, None], [0.5]),
        ("ChatBody", "modalities", [["text"], None], [[], ["audio"], ["text", "text"]]),
        ("ChatBody", "logit_bias", [{}, None], [{"50256": -100}]),
        ("ChatBody", "service_tier", ["auto", "default", None], ["flex"]),
        ("ResponsesBody", "background", [False, None], [True]),
        ("FeatureExtractionBody", "normalize", [True, None], [False]),
        ("SummarizationParameters", "num_beams", [1, None], [4]),
    ],
)
def test_what_changes_nothing_has_a_shape(
    document: dict[str, Any], body: str, field: str, right: list[Any], wrong: list[Any]
) -> None:
    schema = document["components"]["schemas"][body]["properties"][field]
    for value in right:
        check(document, schema, value)
    for value in wrong:
        with pytest.raises(ValidationError):
            check(document, schema, value)


def test_each_operation_has_an_example(document: dict[str, Any]) -> None:
    for _, _, operation in operations(document):
        if operation["operationId"] in UNFIT:
            continue
        if "requestBody" in operation:
            assert "example" in operation["requestBody"]["content"][JSON], operation["operationId"]
        content = operation["responses"]["200"]["content"]
        assert any("example" in one for one in content.values()), operation["operationId"]


def test_examples_are_of_their_shapes(document: dict[str, Any]) -> None:
    for _, _, operation in operations(document):
        contents = [operation["responses"][status]["content"] for status in operation["responses"]]
        if "requestBody" in operation:
            contents.append(operation["requestBody"]["content"])
        for content in contents:
            for media, one in content.items():
                if media == EVENTS:
                    check_stream(document, one["schema"], one["examples"]["stream"]["value"])
                    continue
                told = [
                    resolved(document, example)["value"]
                    for example in one.get("examples", {}).values()
                ]
                for value in [*told, *([one["example"]] if "example" in one else [])]:
                    check(document, one["schema"], value)


def resolved(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """What a reference leads to."""
    for name in node["$ref"].removeprefix("#/").split("/"):
        document = document[name]
    return document


def test_limits_are_told_where_keys_have_them(document: dict[str, Any]) -> None:
    def headers(method: str, path: str, status: str) -> set[str]:
        return set(document["paths"][path][method]["responses"][status]["headers"])

    limits = {"ratelimit", "ratelimit-policy"}
    assert headers("post", "/v1/tasks/chat", "200") == {"x-request-id", *limits}
    refused = {"x-request-id", "retry-after", "x-should-retry", "x-error-message"}
    assert headers("post", "/v1/tasks/chat", "429") == {*refused, *limits}
    assert headers("post", "/v1/keys", "401") == {*refused, "www-authenticate"}
    assert headers("post", "/v1/keys", "200") == {"x-request-id"}


def test_headers_are_those_that_are_described(server: Front, document: dict[str, Any]) -> None:
    answer = httpx.get(f"{server.url}/v1/keys", headers={"authorization": "Bearer nonsense"})
    described = document["paths"]["/v1/keys"]["get"]["responses"]["401"]["headers"]
    assert {*described} - {"retry-after"} <= {*answer.headers}
    for name in ("x-should-retry", "www-authenticate"):
        told = document["components"]["headers"][name]
        check(document, told["schema"], answer.headers[name])
    assert (
        document["components"]["headers"]["www-authenticate"]["example"]
        == (answer.headers["www-authenticate"])
    )


def test_examples_are_taken(server: Front, document: dict[str, Any]) -> None:
    """By the server: what a reader copies works."""
    tried = 0
    for method, path, operation in operations(document):
        if operation["tags"][0] in RUNS and "requestBody" in operation:
            request = operation["requestBody"]["content"][JSON]["example"]
            answer = server.http.request(method, path, json=request)
            assert answer.status_code == httpx.codes.OK, f"{path}: {answer.text}"
            check(document, operation["responses"]["200"]["content"][JSON]["schema"], answer.json())
            tried += 1
    assert tried > 15


def test_those_of_what_manages_are_taken_too(document: dict[str, Any], tmp_path: Path) -> None:
    """One after the other, as they were recorded; but for models and workers, which the fake
    backend has not."""
    settings = Settings(home=tmp_path, backend="fake", registration="open")
    with front(settings) as fresh:
        keys = {"inference_key": fresh.key, "management_key": fresh.management_key}
        recorder = recording.Recorder(fresh.url, keys)
        for method, address, request in recording.scenario():
            path = address.partition("?")[0]
            _, operation = recording.operation_of(document, method, path)
            if operation["tags"] != ["models"] and not path.startswith("/v1/workers"):
                recorder.record(document, method, address, request)
    assert len(recorder.found) > 60


def test_streams_are_of_the_shapes_that_are_described(
    server: Front, document: dict[str, Any]
) -> None:
    tried = 0
    for method, path, operation in operations(document):
        content = operation["responses"]["200"]["content"]
        if EVENTS not in content:
            continue
        request = operation["requestBody"]["content"][JSON]["example"] | {"stream": True}
        answer = server.http.request(method, path, json=request)
        assert answer.headers["content-type"].startswith(EVENTS), f"{path}: {answer.text}"
        check_stream(document, content[EVENTS]["schema"], answer.text)
        tried += 1
    assert tried == 7


def check_stream(document: dict[str, Any], schema: dict[str, Any], stream: str) -> None:
    """Each event is of one of the shapes that are described."""
    events = list(Decoder().feed(stream.encode()))
    assert events
    for event in events:
        named = [
            one["properties"]["data"]
            for one in schema["oneOf"]
            if one["properties"].get("event", {}).get("const", "message") == event.event
        ]
        assert any(fits(document, data, event.data) for data in named), event


def fits(document: dict[str, Any], data: dict[str, Any], text: str) -> bool:
    """Whether the data of an event is what is described."""
    if "const" in data:
        return bool(text == data["const"])
    try:
        check(document, data["contentSchema"], json.loads(text))
    except (ValidationError, ValueError):
        return False
    return True
