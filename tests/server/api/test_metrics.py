"""What the server counts of itself: right, behind a key, and of bounded size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.core import Metric
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families

from llmaas_server.backends.fake import FakeBackend
from llmaas_server.settings import Settings
from support.front import Front, eventually, front
from support.pacing import Turnstile
from support.sources import ROOT

CHAT = "/v1/tasks/chat"
EMBED = "/v1/tasks/embed"


def series(server: Front) -> dict[str, float]:
    """`name{label="value"}` -> value."""
    answer = server.manage.get("/metrics")
    assert answer.status_code == httpx.codes.OK
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


@pytest.mark.parametrize(
    ("accept", "media_type", "parse"),
    [
        ("*/*", "text/plain; version=0.0.4; charset=utf-8", text_string_to_metric_families),
        (
            "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3",
            "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores",
            openmetrics,  # which refuses whatever the standard does not allow
        ),
    ],
)
def test_the_format_that_is_asked_for(
    server: Front, accept: str, media_type: str, parse: Callable[[str], Iterator[Metric]]
) -> None:
    server.http.post(EMBED, json={"text": "two words"}).raise_for_status()
    answer = server.manage.get("/metrics", headers={"accept": accept})
    assert answer.headers["content-type"] == media_type
    page = (ROOT / "docs" / "reference" / "metrics.md").read_text("utf-8")
    families = list(parse(answer.text))
    assert any(family.name == "llmaas_calls" and family.samples for family in families)
    for family in families:
        suffix = {"counter": "_total", "info": "_info"}.get(family.type, "")
        assert f"`{family.name}{suffix}`" in page


def test_it_needs_a_key_that_may(server: Front) -> None:
    assert httpx.get(f"{server.url}/metrics").status_code == httpx.codes.UNAUTHORIZED
    assert server.http.get("/metrics").status_code == httpx.codes.FORBIDDEN
    created = server.manage.post(
        "/v1/keys", json={"name": "scraper", "kind": "management", "actions": ["metrics:read"]}
    ).json()
    scraper = {"authorization": f"Bearer {created['secret']}"}
    assert httpx.get(f"{server.url}/metrics", headers=scraper).status_code == httpx.codes.OK
    assert httpx.get(f"{server.url}/v1/keys", headers=scraper).status_code == httpx.codes.FORBIDDEN


def test_requests_calls_and_tokens(tmp_path: Path) -> None:
    with front(Settings(home=tmp_path, backend="fake")) as server:
        body = {"messages": [{"role": "user", "content": "one two three"}]}
        usage = server.http.post(CHAT, json=body).json()["usage"]
        with server.http.stream("POST", CHAT, json={**body, "stream": True}) as response:
            response.read()
        server.http.post(EMBED, json={"text": ""})
        server.http.get("/nothing/here")
        found = series(server)
        assert (
            found[f'llmaas_http_requests_total{{method="POST",route="{CHAT}",status="200"}}'] == 2
        )
        assert (
            found[f'llmaas_http_requests_total{{method="POST",route="{EMBED}",status="422"}}'] == 1
        )
        assert found['llmaas_http_requests_total{method="GET",route="other",status="404"}'] == 1
        assert found['llmaas_errors_total{code="empty_text"}'] == 1
        assert found['llmaas_errors_total{code="not_found"}'] == 1
        model = "smollm2-135m-instruct-q4_1"
        assert found[f'llmaas_calls_total{{model="{model}",outcome="ok",task="chat"}}'] == 2
        prompt = f'llmaas_tokens_total{{kind="prompt",model="{model}",task="chat"}}'
        assert found[prompt] == 2 * usage["prompt_tokens"]
        assert (
            found[f'llmaas_time_to_first_token_seconds_count{{model="{model}",task="chat"}}'] == 1
        )
        assert found[f'llmaas_queue_wait_seconds_count{{model="{model}",task="chat"}}'] == 2
        assert found["llmaas_http_requests_in_flight"] == 1  # this one
        assert found["llmaas_queue_depth"] == 0
        assert found["llmaas_queue_limit"] == 256
        assert found["llmaas_ready"] == 1


def test_calls_in_flight_and_calls_that_are_cut(tmp_path: Path) -> None:
    turnstile = Turnstile()
    backend = FakeBackend(pace=turnstile)
    with front(Settings(home=tmp_path, backend="fake"), backend) as server:
        body = {"messages": [{"role": "user", "content": "one two"}], "stream": True}
        with server.http.stream("POST", CHAT, json=body):
            eventually(lambda: turnstile.reached, "the call runs")
            found = series(server)
            assert found["llmaas_queue_depth"] == 1
            assert found["llmaas_http_requests_in_flight"] == 2
        cut = (
            'llmaas_calls_total{model="smollm2-135m-instruct-q4_1",outcome="cancelled",task="chat"}'
        )
        eventually(lambda: series(server).get(cut) == 1, "the cut call is counted")


@pytest.mark.parametrize("what", ["paths", "models", "methods", "ids"])
def test_callers_cannot_grow_the_series(server: Front, what: str) -> None:
    def ask(number: int) -> None:
        if what == "paths":
            server.http.get(f"/v1/{number}")
        elif what == "models":
            server.http.post(EMBED, json={"text": "a", "model": f"model-{number}"})
        elif what == "methods":
            server.http.request(f"M{number}", EMBED)
        else:
            server.manage.get(f"/v1/keys/key_{number}")

    ask(0)
    series(server)
    before = set(series(server))
    for number in range(250):
        ask(number)
    assert set(series(server)) == before
