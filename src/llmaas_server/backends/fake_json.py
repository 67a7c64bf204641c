"""The least that a JSON schema describes, for answers of the fake backend. Pure."""

from __future__ import annotations

from typing import Any

_STRINGS = {
    "date": "2024-01-01",
    "time": "00:00:00Z",
    "date-time": "2024-01-01T00:00:00Z",
    "duration": "P1D",
    "email": "a@example.com",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "uri": "http://example.com",
    "ipv4": "127.0.0.1",
    "ipv6": "::1",
    "hostname": "example.com",
}


def least(schema: Any, root: dict[str, Any]) -> Any:
    """A value of `schema`; patterns are not looked at."""
    if not isinstance(schema, dict):
        return {}
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return least(root.get("$defs", {}).get(name, {}), root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema or "oneOf" in schema:
        return least((schema.get("anyOf") or schema["oneOf"])[0], root)
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            return {name: least(properties.get(name), root) for name in schema.get("required", ())}
        case "array":
            firsts = [least(one, root) for one in schema.get("prefixItems", ())]
            missing = max(0, schema.get("minItems", 0) - len(firsts))
            return firsts + [least(schema.get("items"), root)] * missing
        case "string":
            return _STRINGS.get(schema.get("format", ""), "x" * max(1, schema.get("minLength", 1)))
        case "integer" | "number":
            return max(1, schema.get("minimum", 1), schema.get("exclusiveMinimum", 0) + 1)
        case "boolean":
            return True
    return None
