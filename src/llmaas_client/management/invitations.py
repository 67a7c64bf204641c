"""Invitations: each lets one person register, once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from llmaas_client.steps import UNSET, Call, Timeout
from llmaas_client.wire.accounts import (
    CreatedInvitation,
    Invitation,
    InvitationCreate,
    InvitationList,
)

from .calls import Run, at, delete, get, given, send

PATH = "/v1/invitations"

Made = TypeVar("Made")
Many = TypeVar("Many")
One = TypeVar("One")


class Invitations(Generic[Made, Many, One]):
    """For operators of servers whose setting `registration` is `invite`.

    client.accounts.invitations.create().token
    """

    def __init__(self, run: Run) -> None:
        self._make: Callable[[Call[CreatedInvitation]], Made] = run
        self._listing: Callable[[Call[list[Invitation]]], Many] = run
        self._run: Callable[[Call[Invitation]], One] = run

    def create(self, *, days: int | None = None, timeout: Timeout = UNSET) -> Made:
        """Make an invitation, good for so many days; 7 without it. Its `token` is shown once."""
        read = CreatedInvitation.model_validate_json
        fields = given({"days": days})
        return self._make(send("POST", PATH, InvitationCreate, fields, read, timeout))

    def list(self, *, timeout: Timeout = UNSET) -> Many:
        """All invitations, the oldest first; without tokens."""
        return self._listing(get(PATH, _read, timeout))

    def revoke(self, invitation_id: str, *, timeout: Timeout = UNSET) -> One:
        """Take an invitation back."""
        return self._run(delete(at(PATH, invitation_id), Invitation.model_validate_json, timeout))


def _read(body: bytes) -> list[Invitation]:
    return InvitationList.model_validate_json(body).invitations
