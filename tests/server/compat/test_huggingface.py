"""Hugging Face's InferenceClient, unchanged, against the server on a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from huggingface_hub.errors import HfHubHTTPError

from llmaas_client.wire.errors import ERRORS, ErrorBody, ErrorCode
from llmaas_server.settings import Settings
from support.front import Front, front
from support.inference import async_inference, error_of, inference, post, refused
from support.inference import online as online


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    settings = Settings(home=tmp_path_factory.mktemp("home"), backend="fake")
    with front(settings) as running:
        yield running


CALLS: list[tuple[str, str, tuple[Any, ...]]] = [
    ("text-classification", "text_classification", ("a text",)),
    ("zero-shot-classification", "zero_shot_classification", ("a text", ["a", "b"])),
    ("summarization", "summarization", ("a text",)),
    ("feature-extraction", "feature_extraction", ("a text",)),
    ("chat", "chat_completion", ([{"role": "user", "content": "a text"}],)),
]


@pytest.mark.parametrize(("task", "method", "given"), CALLS)
async def test_the_async_client_says_the_same(
    server: Front, task: str, method: str, given: tuple[Any, ...]
) -> None:
    async with async_inference(server, task) as client:
        answer = await getattr(client, method)(*given)
    same = getattr(inference(server, task), method)(*given)
    if task == "chat":
        answer, same = answer.choices, same.choices
    elif task == "feature-extraction":
        answer, same = answer.tolist(), same.tolist()
    assert answer == same


@pytest.mark.parametrize(("task", "method", "given"), CALLS)
def test_a_model_is_named_in_the_address(
    server: Front, task: str, method: str, given: tuple[Any, ...]
) -> None:
    model = "smollm2-135m-instruct-q4_1" if task == "chat" else "all-minilm-l6-v2"
    assert getattr(inference(server, f"{task}?model={model}"), method)(*given) is not None
    error = refused(server, f"{task}?model=nobody", method, *given)
    assert (error["code"], error["param"]) == ("model_not_found", "model")


def test_two_models_are_one_too_many(server: Front) -> None:
    body = {"inputs": "a", "model": "all-minilm-l6-v2"}
    assert post(server, "feature-extraction", body, "?model=all-minilm-l6-v2")
    error = post(server, "feature-extraction", body, "?model=another")["error"]
    assert (error["code"], error["param"]) == ("invalid_request", "model")


@pytest.mark.parametrize(("task", "method", "given"), CALLS)
def test_keys(server: Front, task: str, method: str, given: tuple[Any, ...]) -> None:
    keys: list[tuple[str, ErrorCode]] = [
        ("llmaas_wrong", "invalid_key"),
        (server.management_key, "not_allowed"),
    ]
    for key, code in keys:
        with pytest.raises(HfHubHTTPError) as caught:
            getattr(inference(server, task, key), method)(*given)
        error = error_of(caught)
        assert error["code"] == code
        assert caught.value.response.status_code == ERRORS[code].status
        assert error["message"] in str(caught.value)


@pytest.mark.parametrize(
    ("task", "ours"),
    [
        ("text-classification", "classify"),
        ("zero-shot-classification", "classify"),
        ("summarization", "summarize"),
        ("feature-extraction", "embed"),
        ("chat", "chat"),
    ],
)
def test_keys_are_for_our_tasks(server: Front, task: str, ours: str) -> None:
    """A key for one of our tasks opens its address here, and no other."""
    made = server.manage.post("/v1/keys", json={"name": "one", "tasks": [ours], "models": ["*"]})
    key = made.raise_for_status().json()["secret"]
    for other, method, given in CALLS:
        client = inference(server, other, key)
        if other == task or (ours == "classify" and other.endswith("classification")):
            assert getattr(client, method)(*given) is not None
        else:
            with pytest.raises(HfHubHTTPError) as caught:
                getattr(client, method)(*given)
            assert error_of(caught)["code"] == "not_allowed"


def test_calls_are_metered(server: Front) -> None:
    def count() -> int:
        report = server.manage.get("/v1/usage", params={"by": "task"}).raise_for_status().json()
        return int(report["total"]["calls"])

    before = count()
    for task, method, given in CALLS:
        getattr(inference(server, task), method)(*given)
    assert count() == before + len(CALLS)


def test_what_their_own_service_is_told_has_no_effect(server: Front) -> None:
    headers = {"x-wait-for-model": "1", "x-use-cache": "0", "x-compute-type": "gpu"}
    client = inference(server, "summarization", headers=headers, bill_to=None)
    assert client.summarization("One.").summary_text == "One."
    options = {"wait_for_model": True, "use_cache": False, "use_gpu": None}
    for task, more in (
        ("summarization", {}),
        ("feature-extraction", {}),
        ("text-classification", {}),
        ("zero-shot-classification", {"parameters": {"candidate_labels": ["a", "b"]}}),
    ):
        assert isinstance(post(server, task, {"inputs": "a", "options": options, **more}), list)


def test_messages_that_no_header_can_hold(server: Front) -> None:
    response = server.http.post(
        "/hf/summarization", json={"inputs": "a", "parameters": {"süß\r\nx-evil: 1": 1}}
    )
    told = response.headers["x-error-message"]
    assert told.isascii()
    assert "x-evil" not in response.headers
    assert ErrorBody.model_validate_json(response.content).error.message.startswith("süß\r\n")
    long = server.http.post("/hf/summarization", json={"inputs": "a", "x" * 5000: 1})
    assert len(long.headers["x-error-message"]) <= 512


def test_metrics_name_the_route(server: Front) -> None:
    inference(server, "summarization?model=all-minilm-l6-v2").summarization("One.")
    told = server.manage.get("/metrics").text
    assert '"/hf/summarization"' in told
    assert "?model=" not in told


def test_description(server: Front) -> None:
    document = server.http.get("/openapi.json").json()
    for task in (*(task for task, _, _ in CALLS), "chat/v1/chat/completions"):
        operation = document["paths"][f"/hf/{task}"]["post"]
        asked = [one["name"] for one in operation["parameters"] if one["in"] == "query"]
        assert asked == ["model"]
        content = operation["responses"]["200"]["content"]
        assert ("text/event-stream" in content) == task.startswith("chat")
    assert httpx.post(f"{server.url}/hf/nothing", json={}).status_code != httpx.codes.OK
