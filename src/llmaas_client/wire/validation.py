"""From pydantic's list of errors to the one that is worth telling."""

from __future__ import annotations

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from .errors import ERRORS, ErrorBody, ErrorCode, describe


def explain(error: ValidationError, request_id: str | None = None) -> ErrorBody:
    """The error body for a request that does not validate.

    A union reports one error per branch; one with a code of our own says the most, then the
    one that got deepest into the input, then one of the branch whose type it is.
    """
    best = max(error.errors(include_url=False), key=_weight)
    code = _code(best)
    param = _param(best)
    message = best["msg"]
    if code == "unknown_field":
        message = f"there is no field {param!r}"
    elif code == "invalid_request" and param:
        message = f"{param}: {message}"
    return describe(code, message, param=param, request_id=request_id)


def _weight(detail: ErrorDetails) -> tuple[bool, int, bool]:
    wrong_type = detail["type"].endswith("_type")
    return (_code(detail) != "invalid_request", len(detail["loc"]), not wrong_type)


def _code(detail: ErrorDetails) -> ErrorCode:
    return _CODES.get(detail["type"], "invalid_request")


_CODES: dict[str, ErrorCode] = {
    "extra_forbidden": "unknown_field",
    "json_invalid": "invalid_json",
    "string_unicode": "invalid_text",
    **{code: code for code in ERRORS},
}


def _param(detail: ErrorDetails) -> str | None:
    """`messages.0.content`; the names that pydantic gives to branches of a union are left out.

    An error about a whole object names the field that it is about in its context.
    """
    parts = [str(part) for part in detail["loc"] if isinstance(part, int) or part.isidentifier()]
    context = detail.get("ctx", {})
    parts += [str(context["param"])] if "param" in context else []
    branches = {"str", "int", "float", "bool", "dict", "list", "Document", "ToolName"}
    return ".".join(part for part in parts if part not in branches) or None
