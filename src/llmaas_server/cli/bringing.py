"""Brings the models that the settings name and that are not on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from .failure import fail, wrong_usage
from .output import size_text
from .pulling import pulled, showing

if TYPE_CHECKING:
    from llmaas_server.errors import Problem
    from llmaas_server.models.store import Store
    from llmaas_server.settings import Settings


def missing_models(settings: Settings) -> list[str]:
    """The default models that are not here or are damaged, each once. Exits for a name that leads
    to no model."""
    from llmaas_server.errors import Problem

    if settings.backend == "fake":  # it has no files
        return []
    store = _store(settings)
    missing: dict[str, None] = {}
    for role, name in settings.default_models.items():
        try:
            store.ref(name)
        except Problem as problem:
            if leads_nowhere(name, problem):
                wrong_usage(problem.message, another_name(role))
            missing[name] = None
    return list(missing)


def leads_nowhere(name: str, problem: Problem) -> bool:
    """Whether no pull can bring the model that was not found."""
    from llmaas_server.models.names import is_hub_id, is_name

    return problem.code == "model_not_found" and not (is_name(name) and is_hub_id(name))


def another_name(role: str) -> str:
    """What to do then, where it is the default for something."""
    return f"set {role}_model to a name that `llmaas models list --all` has"


def bring(settings: Settings, missing: list[str]) -> None:
    """Pull models, and show how far that is. Exits where one cannot be had."""
    from llmaas_server.errors import Problem

    store = _store(settings)
    typer.echo(f"Fetching, once: {', '.join(_with_size(store, name) for name in missing)}")
    for name in missing:
        try:
            with showing(name) as progress:
                model = store.pull(name, progress=progress)
        except Problem as problem:
            fail(problem.message, f"{problem.hint} `llmaas serve` starts without it")
        except OSError as error:
            fail(f"{error.strerror or error}: {error.filename or settings.cache}")
        typer.echo(pulled(model))


def _store(settings: Settings) -> Store:
    from llmaas_server.models.store import Store

    return Store(settings.cache)


def _with_size(store: Store, name: str) -> str:
    entry = store.catalogue.find(name)
    return name if entry is None else f"{name} ({size_text(entry.download_bytes)})"
