"""What stands under every result: who answered, what it used, how long it took, what it cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .frame import HTML, quiet, tag, text

if TYPE_CHECKING:
    from llmaas_client.wire.base import Result


def footer(result: Result, *notes: str) -> HTML:
    """Small print, with the warnings above it."""
    usage = result.usage
    tokens = f"{usage.prompt_tokens} + {usage.completion_tokens} tokens"
    warnings = [
        tag("div", text(f"⚠ {warning.message}"), klass="bad") for warning in result.warnings
    ]
    line = quiet(
        result.model,
        *notes,
        tokens,
        f"{result.timing.total_ms:.0f} ms",
        "" if result.cost is None else f"cost {result.cost}",
        result.request_id,
    )
    return tag("div", *warnings, line)
