"""Whether the models that the settings name are here, whole, and can do what they are for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from llmaas_server.cli.bringing import another_name, leads_nowhere

from .finding import Finding

if TYPE_CHECKING:
    from llmaas_server.errors import Problem
    from llmaas_server.models.manifest import InstalledModel
    from llmaas_server.models.store import Store
    from llmaas_server.settings import Settings

_ABLE = {
    "classify": ("classify", ("encoder", "decoder", "classifier")),
    "summarize": ("summarize", ("encoder",)),
    "abstractive": ("summarize", ("decoder", "seq2seq")),
    "chat": ("chat", ("decoder",)),
    "embed": ("embed", ("encoder",)),
    "predict": ("classify", ("encoder", "decoder", "classifier")),
}
"""What for -> the task that the model must have, and what kind of model does it."""


def models(settings: Settings) -> Iterator[Finding]:
    """The default models with all their hashes; of the others only whether all files are there."""
    from llmaas_server.models.store import Store

    if settings.backend == "fake":
        yield Finding("models", "ok", "none needed: the fake backend makes its answers up")
        return
    store = Store(settings.cache)
    roles: dict[str, list[str]] = {}
    for role, name in settings.default_models.items():
        roles.setdefault(name, []).append(role)
    for name, wanted in roles.items():
        yield from _default(store, name, wanted)
    yield from _others(store, set(roles))


def _default(store: Store, name: str, wanted: list[str]) -> Iterator[Finding]:
    from llmaas_server.errors import Problem

    try:
        model = store.verify(name)
    except Problem as problem:
        yield Finding(f"model {name}", "wrong", problem.message, _remedy(name, problem, wanted[0]))
        return
    unable = [role for role in wanted if not _is_able(model, role)]
    if not unable:
        yield Finding(f"model {name}", "ok", "here, and whole")
    for role in unable:
        task, kinds = _ABLE[role]
        found = (
            f"it is the setting {role}_model, which takes a model that can {task} "
            f"({' or '.join(kinds)}), and this is a model of kind {model.kind} "
            f"for {', '.join(model.tasks)}"
        )
        remedy = f"llmaas models list --all --task {task}, and set {role}_model to one of them"
        yield Finding(f"model {name}", "wrong", found, remedy)


def _others(store: Store, defaults: set[str]) -> Iterator[Finding]:
    from llmaas_server.errors import Problem

    for model in store.installed():
        if model.name in defaults:
            continue
        try:
            store.ref(model.name)
        except Problem as problem:
            yield Finding(f"model {model.name}", "weak", problem.message, _pull(model.name))


def _is_able(model: InstalledModel, role: str) -> bool:
    task, kinds = _ABLE[role]
    return task in model.tasks and model.kind in kinds


def _remedy(name: str, problem: Problem, role: str) -> str:
    return another_name(role) if leads_nowhere(name, problem) else _pull(name)


def _pull(name: str) -> str:
    return f"llmaas models pull {name}"
