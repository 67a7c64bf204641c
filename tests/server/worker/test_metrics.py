"""What the real runtime did is in the metrics of the front."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.front import Front, eventually, front
from support.shelves import TinyShelf

CHAT = {"messages": [{"role": "user", "content": "Hello there, " * 8}], "seed": 1}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> TinyShelf:
    return TinyShelf(tmp_path_factory.mktemp("shelf"))


@pytest.fixture(scope="module")
def server(shelf: TinyShelf) -> Iterator[Front]:
    with front(shelf.settings(), store=shelf) as running:
        yield running


def ask(server: Front, task: str, request: dict[str, Any]) -> dict[str, int]:
    """The usage of a call."""
    answer = server.http.post(f"/v1/tasks/{task}", json=request, timeout=120)
    usage: dict[str, int] = answer.json()["usage"]
    return usage


def of_model(server: Front, model: str) -> dict[str, float]:
    """Sample -> value, of one model; of several labels the phase or the bucket is named."""
    found = {}
    for family in text_string_to_metric_families(server.manage.get("/metrics").text):
        for sample in family.samples:
            if sample.labels.get("model") == model and "task" not in sample.labels:
                detail = sample.labels.get("phase") or sample.labels.get("le")
                found[f"{sample.name}:{detail}" if detail else sample.name] = sample.value
    return found


def test_chats(server: Front, shelf: TinyShelf) -> None:
    used = [
        server.http.post("/v1/tasks/chat", json={**CHAT, "max_tokens": 6}, timeout=120).json()[
            "usage"
        ]
        for _ in range(2)
    ]
    prompts = sum(one["prompt_tokens"] for one in used)
    cached = sum(one["cached_tokens"] for one in used)
    assert cached > 0  # the second began as the first
    counted = partial(of_model, server, shelf.decoder)
    eventually(
        lambda: counted().get("llmaas_prefix_cache_queries_total", 0) == prompts,
        "the pulse tells of both",
    )
    found = counted()
    assert found["llmaas_prefix_cache_hits_total"] == cached
    assert found["llmaas_step_tokens_total:prefill"] == prompts - cached
    generated = sum(one["completion_tokens"] for one in used)
    drafted = found["llmaas_spec_decode_draft_tokens_total"]
    accepted = found["llmaas_spec_decode_accepted_tokens_total"]
    assert accepted <= drafted
    assert generated - 2 <= found["llmaas_step_tokens_total:decode"] <= generated + 2
    steps = found["llmaas_step_duration_seconds_count"]
    assert 2 <= steps == found["llmaas_step_batch_size_count"]
    assert found["llmaas_step_batch_size_sum"] == steps  # one sequence in each
    assert found["llmaas_step_batch_size_bucket:1.0"] == steps
    assert found["llmaas_step_duration_seconds_bucket:+Inf"] == steps
    assert found["llmaas_preemptions_total"] == 0
    eventually(lambda: counted()["llmaas_kv_cache_used_bytes"] == 0, "the blocks are given back")
    found = counted()
    assert found["llmaas_sequences_running"] == found["llmaas_sequences_waiting"] == 0
    assert 0 < found["llmaas_kv_cache_reusable_bytes"] <= found["llmaas_kv_cache_limit_bytes"]
    assert found["llmaas_kv_cache_usage_ratio"] == 0
    assert found["llmaas_model_replicas"] == 1


def test_texts(server: Front, shelf: TinyShelf) -> None:
    texts = ["one", "two words", "and three words"]
    usage = ask(server, "embed", {"text": texts})
    counted = partial(of_model, server, shelf.embedder)
    tokens = "llmaas_step_tokens_total:prefill"
    eventually(lambda: counted().get(tokens) == usage["prompt_tokens"], "the pulse tells of it")
    found = counted()
    assert found["llmaas_step_batch_size_sum"] == len(texts)
    assert "llmaas_kv_cache_used_bytes" not in found  # it keeps none


def test_people_see_lanes(server: Front, shelf: TinyShelf) -> None:
    ask(server, "chat", {**CHAT, "max_tokens": 2})

    def lane() -> dict[str, Any]:
        lanes = server.manage.get("/v1/server").json()["lanes"]
        return next((one for one in lanes if one["model"] == shelf.decoder), {"steps": 0})

    eventually(lambda: lane()["steps"] > 0, "the pulse tells of it")
    assert lane()["batch_size"] == 1
    assert lane()["lane"] == "generate"
    assert lane()["kv_limit_bytes"] > 0
