"""Who may use an address. Every endpoint declares it; there is no default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from llmaas_server.errors import Problem

from .actions import ACTIONS
from .principals import Principal


@dataclass(frozen=True, slots=True)
class Access:
    """What a key needs; made by the functions below."""

    kind: Literal["public", "any_key", "task", "management"]
    name: str = ""
    """The task, or the action."""

    @property
    def is_public(self) -> bool:
        return self.kind == "public"

    def __str__(self) -> str:
        match self.kind:
            case "public":
                return "Needs no key."
            case "any_key":
                return "Needs a key of either kind."
            case "task":
                return f"Needs an inference key for the task `{self.name}`."
            case "management":
                return f"Needs a management key for `{self.name}`."

    def check(self, principal: Principal) -> None:
        """Raises Problem `not_allowed`, with what is missing."""
        if self.kind == "task":
            _check_kind(principal, "inference")
            if self.name not in principal.tasks:
                raise _lacks(principal, f"the task {self.name}", str(principal.tasks))
        elif self.kind == "management":
            _check_kind(principal, "management")
            if self.name not in principal.actions:
                raise _lacks(principal, f"the action {self.name}", str(principal.actions))


PUBLIC = Access("public")
ANY_KEY = Access("any_key")


def task(name: str) -> Access:
    return Access("task", name)


def management(action: str) -> Access:
    if action not in ACTIONS:
        raise ValueError(f"there is no action {action!r}")
    return Access("management", action)


def _check_kind(principal: Principal, wanted: str) -> None:
    if principal.kind != wanted:
        raise Problem(
            "not_allowed",
            f"this takes a key of kind {wanted}, and {principal.key_id} is of kind "
            f"{principal.kind}",
            hint="Inference keys run tasks, management keys manage; no key does both.",
        )


def _lacks(principal: Principal, what: str, has: str) -> Problem:
    return Problem("not_allowed", f"{principal.key_id} is not for {what}; it is for: {has}")
