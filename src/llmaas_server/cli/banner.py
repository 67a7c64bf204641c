"""What a server says when it listens: where, which models, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmaas_server.errors import Problem

if TYPE_CHECKING:
    from llmaas_server.app import ModelStore
    from llmaas_server.settings import Settings

_TRYING_OUT = "smollm2-135m-instruct-q4_1"


def banner(settings: Settings, store: ModelStore, url: str, link: str | None) -> list[str]:
    """Lines for the operator. `link` signs in to the console; None where the owner has a password
    to do that with, or there is no console."""
    lines = [f"llmaas serves at {url}", *_models(settings, store)]
    if link is not None:
        lines.append(invitation(link))
    elif settings.console:
        lines.append(f"The console: {url}/console/")
    if settings.backend == "fake":
        lines.append("The fake backend computes nothing: its answers are made up.")
    elif _TRYING_OUT in {settings.chat_model, settings.abstractive_model}:
        lines.append(
            f"{_TRYING_OUT} is for trying things out: it is small, and often wrong. "
            "`llmaas models recommend` names better ones for this machine."
        )
    lines.append(f"The key lies in {settings.home}: `llmaas` and its client find it there.")
    return lines


def invitation(link: str) -> str:
    """How to follow a link for signing in."""
    from llmaas_server.gateway.sign_in_links import SECONDS

    return f"To sign in to the console, once, within {SECONDS // 60} minutes: {link}"


def _models(settings: Settings, store: ModelStore) -> list[str]:
    lines = []
    to_pull: dict[str, None] = {}  # in order, each once
    for role, name in settings.default_models.items():
        try:
            store.ref(name)
            state = ""
        except Problem as problem:
            known = problem.code == "model_not_pulled"
            to_pull |= {name: None} if known else {}
            state = "  not on this machine" if known else f"  {problem.message}"
        lines.append(f"  {role:<12}{name}{state}")
    if to_pull:
        lines.append(f"To bring what is missing: llmaas models pull {' '.join(to_pull)}")
    return lines
