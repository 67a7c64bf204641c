"""Where the server is, which key is for it, and by which way: the client's only look at its
surroundings.

    LLMAAS_BASE_URL        the server; http://127.0.0.1:8000 without it
    LLMAAS_API_KEY         the key that runs tasks
    LLMAAS_MANAGEMENT_KEY  the key that manages accounts, applications and keys
    LLMAAS_HOME            the folder in which a server on this machine leaves keys for its clients
    LLMAAS_CA_BUNDLE       certificates (PEM) that an https server must rest on; else the usual
    LLMAAS_CACHE           the folder of models, whose names a shell completes
    LLMAAS_DEBUG           commands show tracebacks
"""

from __future__ import annotations

import ipaddress
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from .errors import ConfigurationError

if TYPE_CHECKING:
    from .wire.keys import KeyKind

VARIABLES = frozenset(
    f"LLMAAS_{name}"
    for name in ("BASE_URL", "API_KEY", "MANAGEMENT_KEY", "HOME", "CACHE", "CA_BUNDLE", "DEBUG")
)
"""All that a client reads of the environment by names of its own."""

DEFAULT_BASE_URL = "http://127.0.0.1:8000"
_NOBODY = "none"
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """A server's address in its one normal form: equal servers have equal `url`."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, url: str) -> Address:
        """Raises ConfigurationError for what is not the address of an HTTP server."""
        try:
            parts = urlsplit(url.strip())
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise ConfigurationError(f"base_url is not an address: {error}") from None
        if parts.username is not None or parts.password is not None:
            raise ConfigurationError(
                "base_url has a user name in it", hint="Pass the key as api_key= instead."
            )
        if parts.scheme not in _DEFAULT_PORTS or not host:
            raise ConfigurationError(
                f"base_url {url!r} is not the address of a server",
                hint=f"It looks like {DEFAULT_BASE_URL}, with http or https.",
            )
        if parts.query or parts.fragment:
            raise ConfigurationError(f"base_url {url!r} has a query or a fragment")
        return cls(parts.scheme, host, port or _DEFAULT_PORTS[parts.scheme], parts.path.rstrip("/"))

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"

    @property
    def is_local(self) -> bool:
        """Whether what is sent there stays on this machine."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class Config:
    """What a client was told, by its arguments or by the environment. Reads no file until asked."""

    address: Address
    home: Path
    explicit_key: str | None = field(default=None, repr=False)
    ca_bundle: Path | None = None
    """The certificates that the server's must rest on; None is those that this machine trusts."""
    explicit_management_key: str | None = field(default=None, repr=False)
    explicit_proxy: str | None = field(default=None, repr=False)
    """Not shown: it may have a password in it."""

    def to_carry(self) -> Config:
        """The same without keys, for another process. Raises TypeError where that is not all."""
        if self.explicit_proxy is not None and "@" in self.explicit_proxy:
            raise TypeError("a client whose proxy has a password in it cannot be pickled")
        return replace(self, explicit_key=None, explicit_management_key=None)

    def arrived(self) -> Config:
        """The same where a client was carried to: the keys are those of that environment."""
        return replace(
            self,
            home=home(),
            explicit_key=_given(None, "api_key", "LLMAAS_API_KEY"),
            explicit_management_key=_given(None, "management_key", "LLMAAS_MANAGEMENT_KEY"),
        )

    def without_keys(self) -> Config:
        """The same for a client that sends nothing: no key is looked for."""
        return replace(self, explicit_key=_NOBODY, explicit_management_key=_NOBODY)

    def key(self, kind: KeyKind = "inference") -> str | None:
        """The key to send. Raises ConfigurationError where sending it would give it away."""
        explicit = self.explicit_key if kind == "inference" else self.explicit_management_key
        return explicit or self._key_from_home(kind)

    def _key_from_home(self, kind: KeyKind) -> str | None:
        """The key that a server on this machine left for exactly this address."""
        from pydantic import ValidationError

        from .wire.credentials import FILE_NAME, Credentials

        path = self.home / FILE_NAME
        try:
            servers = Credentials.model_validate_json(path.read_bytes()).servers
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            reason = error.strerror if isinstance(error, OSError) else "its content is damaged"
            raise ConfigurationError(
                f"{path} cannot be read: {reason}",
                hint="Repair or remove it, or set LLMAAS_API_KEY.",
            ) from None
        bound = {_normal(url): entry for url, entry in servers.items()}
        entry = bound.get(self.address.url)
        if entry is None:
            return None
        key = entry.inference_key if kind == "inference" else entry.management_key
        if key is None:
            return None
        if self.address.scheme == "http" and not self.address.is_local:
            name = "api_key" if kind == "inference" else "management_key"
            raise ConfigurationError(
                f"the key for {self.address.url} would cross the network unencrypted",
                hint=f"Use https, or pass {name}= to send it all the same.",
            )
        return check_key(key, str(path))

    def proxy(self) -> str | None:
        """The proxy on the way to the server: the one that was named, else the environment's,
        which is never used for this machine."""
        if self.explicit_proxy is not None:
            return self.explicit_proxy
        import urllib.request

        if self.address.is_local or urllib.request.proxy_bypass(self.address.host):
            return None
        proxies = urllib.request.getproxies()
        return proxies.get(self.address.scheme) or proxies.get("all")


def resolve(
    base_url: str | None = None,
    api_key: str | None = None,
    ca_bundle: str | os.PathLike[str] | None = None,
    management_key: str | None = None,
    proxy: str | None = None,
) -> Config:
    """Arguments first, then the environment, then defaults."""
    url = base_url or os.environ.get("LLMAAS_BASE_URL") or DEFAULT_BASE_URL
    key = _given(api_key, "api_key", "LLMAAS_API_KEY")
    managing = _given(management_key, "management_key", "LLMAAS_MANAGEMENT_KEY")
    bundle = ca_bundle or os.environ.get("LLMAAS_CA_BUNDLE")
    trusted = Path(bundle).expanduser() if bundle else None
    return Config(Address.parse(url), home(), key, trusted, managing, proxy)


def is_told(base_url: str | None) -> bool:
    """Whether somebody said which server it is, by its address or by a key for it."""
    names = ("LLMAAS_BASE_URL", "LLMAAS_MANAGEMENT_KEY")
    return bool(base_url or any(os.environ.get(name) for name in names))


def home() -> Path:
    """The folder of a server's state on this machine."""
    given = os.environ.get("LLMAAS_HOME")
    if given:
        return Path(given).expanduser()
    from platformdirs import user_data_path

    return user_data_path("llmaas")


def cache() -> Path:
    """The folder of models on this machine, where no file of settings says another."""
    given = os.environ.get("LLMAAS_CACHE")
    if given:
        return Path(given).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("llmaas")


def clean_environment(without: Iterable[str] = ()) -> dict[str, str]:
    """This process's environment for a server of its own, less the settings that are named."""
    named = {"LLMAAS_BASE_URL", "LLMAAS_API_KEY", "LLMAAS_MANAGEMENT_KEY"}
    named |= {f"LLMAAS_{name.upper()}" for name in without}
    return {name: value for name, value in os.environ.items() if name.upper() not in named}


def keys_in(home: Path, url: str) -> tuple[str, str | None] | None:
    """The keys that a server left in `home` for exactly this address: for tasks, for managing."""
    config = Config(Address.parse(url), home)
    inference = config.key("inference")
    return None if inference is None else (inference, config.key("management"))


def debug() -> bool:
    """Whether commands show tracebacks."""
    return os.environ.get("LLMAAS_DEBUG", "") not in ("", "0")


def screen() -> Literal["here", "far", "none"]:
    """Whether a browser that is started here is seen by the one who typed: `far` over SSH, whose
    screen is another machine's, and `none` on a machine without one. BROWSER decides it."""
    if os.environ.get("BROWSER"):
        return "here"
    if os.environ.get("SSH_CONNECTION") or os.environ.get("SSH_TTY"):
        return "far"
    displays = ("DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME")
    needs_one = sys.platform not in ("darwin", "win32")
    return "none" if needs_one and not any(os.environ.get(name) for name in displays) else "here"


def _given(argument: str | None, name: str, variable: str) -> str | None:
    """A key from an argument, else from the environment."""
    if argument is not None:
        return check_key(argument, name)
    from_environment = os.environ.get(variable)
    return check_key(from_environment, variable) if from_environment else None


def check_key(key: str, origin: str) -> str:
    """A key that can stand in a header. The message never has the key in it."""
    key = key.strip()
    if not key:
        raise ConfigurationError(f"{origin} is empty", hint="Leave it out, or give a key.")
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise ConfigurationError(f"{origin} has characters that no key has")
    return key


def _normal(url: str) -> str:
    try:
        return Address.parse(url).url
    except ConfigurationError:
        return url
