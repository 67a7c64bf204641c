"""What the addresses of the API are about: each belongs to one group."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tag:
    name: str
    meaning: str
    paths: tuple[str, ...]
    """Beginnings of the addresses that belong to it; of several the longest wins."""


TAGS = (
    Tag(
        "tasks",
        "Run a task, or ask what it would cost. Streams are server-sent events.",
        ("/v1/tasks", "/predict"),
    ),
    Tag("classifiers", "Classifiers made from examples.", ("/v1/classifiers",)),
    Tag(
        "models",
        "What is on this machine, what is in memory, and bringing more.",
        ("/v1/models", "/v1/pulls", "/v1/residents"),
    ),
    Tag(
        "openai",
        "The wire of OpenAI's API: programs made for it go on working.",
        (
            "/v1/chat/completions",
            "/v1/completions",
            "/v1/embeddings",
            "/v1/responses",
            "/v1/decisions",
        ),
    ),
    Tag("huggingface", "The wire of Hugging Face's InferenceClient.", ("/hf",)),
    Tag(
        "accounts",
        "People, applications and keys.",
        (
            "/v1/accounts",
            "/v1/applications",
            "/v1/invitations",
            "/v1/keys",
            "/v1/password",
            "/v1/register",
            "/v1/sign-in",
        ),
    ),
    Tag("usage", "What was used, and what it costs.", ("/v1/prices", "/v1/usage")),
    Tag("history", "What happened, and what was kept of it.", ("/v1/audit", "/v1/records")),
    Tag(
        "server",
        "Whether it is well, and what computes.",
        ("/health", "/metrics", "/openapi.json", "/v1/server", "/v1/workers"),
    ),
)


NAMES = {
    "/v1/accounts": "The id of an account, or `me`, which is that of the key.",
    "/v1/applications": "The id of an application.",
    "/v1/classifiers": "The name of a classifier, or `name@2` for one of its versions.",
    "/v1/invitations": "The id of an invitation.",
    "/v1/keys": "The id of a key; not the key itself.",
    "/v1/models": "The name of a model, with its slashes.",
    "/v1/records": "The id of a call, which is the name of its request.",
    "/v1/residents": "The name of a model, with its slashes.",
    "/v1/workers": "The name of a worker.",
}
"""Beginning of an address -> what stands in the braces that follow."""


def meaning_of(path: str) -> str:
    """What stands in the braces of an address. Raises KeyError for one that nobody describes."""
    return NAMES[path.partition("/{")[0]]


def tag_of(path: str) -> str:
    """Raises ValueError for an address that belongs nowhere."""
    fitting = [(len(begin), tag.name) for tag in TAGS for begin in tag.paths if _is_in(path, begin)]
    if not fitting:
        raise ValueError(f"{path} belongs to no tag")
    return max(fitting)[1]


def _is_in(path: str, begin: str) -> bool:
    return path == begin or path.startswith((f"{begin}/", f"{begin}-"))
