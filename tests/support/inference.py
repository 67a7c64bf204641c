"""Hugging Face's own client, pointed at a server of ours, as its users would."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from huggingface_hub import AsyncInferenceClient, InferenceClient, constants
from huggingface_hub.errors import HfHubHTTPError

from support.front import Front


@pytest.fixture(autouse=True)
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client sends nothing to anyone in the offline mode that tests are in, not even here."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)


def inference(server: Front, task: str, key: str | None = None, **options: Any) -> InferenceClient:
    return InferenceClient(f"{server.url}/hf/{task}", token=key or server.key, **options)


def async_inference(server: Front, task: str) -> AsyncInferenceClient:
    return AsyncInferenceClient(f"{server.url}/hf/{task}", token=server.key)


def post(server: Front, task: str, body: Mapping[str, Any], query: str = "") -> Any:
    """What other clients of the same wire send."""
    return server.http.post(f"/hf/{task}{query}", json=body).json()


def refused(server: Front, task: str, method: str, *given: Any, **options: Any) -> dict[str, Any]:
    """The error of a call that must fail."""
    with pytest.raises(HfHubHTTPError) as caught:
        getattr(inference(server, task), method)(*given, **options)
    error = error_of(caught)
    assert caught.value.request_id == error["request_id"]
    assert error["message"] in str(caught.value)
    return error


def error_of(caught: pytest.ExceptionInfo[HfHubHTTPError]) -> dict[str, Any]:
    """What the server said, which their error carries."""
    error: dict[str, Any] = caught.value.response.json()["error"]
    return error
