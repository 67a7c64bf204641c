"""From a step to httpx's request, and from its response to the head of an answer."""

from __future__ import annotations

import httpx

from llmaas_client.errors import ConfigurationError
from llmaas_client.sockets import Until
from llmaas_client.steps import Head, Send


def request_of(
    client: httpx.Client | httpx.AsyncClient, step: Send, limit: Until | None
) -> httpx.Request:
    left = None if limit is None else step.deadline.left()
    timeouts = {"connect": limit, "read": limit, "write": limit, "pool": left}
    try:
        return client.build_request(
            step.method,
            step.url,
            headers=dict(step.headers),
            content=step.body,
            extensions={"timeout": timeouts},
        )
    except httpx.InvalidURL as error:
        raise ConfigurationError(f"base_url is not an address: {error}") from None


def head_of(response: httpx.Response) -> Head:
    return Head(response.status_code, response.is_success, response.headers)
