"""Templates to responses, with the headers that every page has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from .assets import Assets

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)

HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "same-origin",  # with none, forms would come from nowhere
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""Nothing of elsewhere is loaded, nothing in a page runs but its own files."""


class Renderer:
    """Makes pages. A name that a template uses and nobody gave is an error, not an empty place."""

    def __init__(self, assets: Assets, base: Mapping[str, Any]) -> None:
        """`base` is what all templates have."""
        self._environment = Environment(
            loader=PackageLoader("llmaas_server.ui"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(base, asset=assets.url)

    def page(
        self, template: str, content: Mapping[str, Any], status: int | None = None
    ) -> Response:
        text = self._environment.get_template(template).render(content)
        response = HTMLResponse(text, headers={**HEADERS, "cache-control": "no-store"})
        if status is not None:
            response.status_code = status
        return response
