"""TLS over real sockets: versions, exchange of the certificate, and files that are broken."""

from __future__ import annotations

import logging
import socket
import ssl
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from llmaas_server.cli.listener import version_at
from llmaas_server.edge.bounds import Bounds
from llmaas_server.edge.certificates import LOCAL_NAMES, Certificate, CertificateError, make
from llmaas_server.edge.tls import Tls
from support.edges import asked, edge
from support.sockets import connect, head


def write(folder: Path, names: tuple[str, ...] = LOCAL_NAMES, days: int = 2) -> tuple[Path, Path]:
    """A new certificate in the folder's files."""
    made = make(names, days)
    (folder / "ca.pem").write_bytes(made.authority)
    (folder / "cert.pem").write_bytes(made.certificate)
    (folder / "key.pem").write_bytes(made.key)
    return folder / "cert.pem", folder / "key.pem"


def serving(tls: Tls, receive_seconds: float = 10.0) -> AbstractContextManager[str]:
    return edge(Bounds(receive_seconds=receive_seconds), tls)


def trusting(folder: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def serial(sock: socket.socket) -> object:
    assert isinstance(sock, ssl.SSLSocket)
    found = sock.getpeercert()
    assert found
    return found["serialNumber"]


def test_https(tmp_path: Path) -> None:
    with (
        serving(Tls(*write(tmp_path))) as url,
        connect(url, trusting(tmp_path)) as raw,
    ):
        assert asked(raw)["scheme"] == "https"
        assert isinstance(raw.sock, ssl.SSLSocket)
        assert raw.sock.version() == "TLSv1.3"


def test_old_versions_are_refused(tmp_path: Path) -> None:
    with serving(Tls(*write(tmp_path))) as url:
        old, least = trusting(tmp_path), trusting(tmp_path)
        old.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises(ssl.SSLError), connect(url, old):
            pass
        least.maximum_version = ssl.TLSVersion.TLSv1_2
        with connect(url, least) as raw:
            assert asked(raw)["scheme"] == "https"


def test_strangers_do_not_trust_it(tmp_path: Path) -> None:
    with serving(Tls(*write(tmp_path))) as url:
        with (
            pytest.raises(ssl.SSLCertVerificationError),
            connect(url, ssl.create_default_context()),
        ):
            pass
        (tmp_path / "other").mkdir()
        write(tmp_path / "other")
        with (
            pytest.raises(ssl.SSLCertVerificationError),
            connect(url, trusting(tmp_path / "other")),
        ):
            pass


def test_new_handshakes_get_the_new_certificate_and_open_ones_go_on(tmp_path: Path) -> None:
    tls = Tls(*write(tmp_path))
    with serving(tls) as url, connect(url, trusting(tmp_path)) as before:
        assert asked(before)["scheme"] == "https"
        write(tmp_path)
        assert tls.reload()
        with connect(url, trusting(tmp_path)) as after:
            assert asked(after)["scheme"] == "https"
            assert serial(after.sock) != serial(before.sock)
        assert asked(before)["scheme"] == "https"


@pytest.mark.parametrize("broken", ["cert.pem", "key.pem"])
@pytest.mark.parametrize("how", ["missing", "words", "of another"])
def test_broken_files_leave_all_as_it_is(
    tmp_path: Path, broken: str, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    tls = Tls(*write(tmp_path))
    (tmp_path / "other").mkdir()
    write(tmp_path / "other")
    content = {"words": b"words", "of another": (tmp_path / "other" / broken).read_bytes()}
    if how == "missing":
        (tmp_path / broken).unlink()
    else:
        (tmp_path / broken).write_bytes(content[how])
    with caplog.at_level(logging.ERROR):
        assert not tls.reload()
    assert "the certificate stays as it was" in caplog.text
    assert str(tmp_path / broken) in caplog.text


def test_broken_reload_while_serving(tmp_path: Path) -> None:
    tls = Tls(*write(tmp_path))
    trust = trusting(tmp_path)
    with serving(tls) as url:
        (tmp_path / "cert.pem").write_bytes(b"words")
        assert not tls.reload()
        with connect(url, trust) as raw:
            assert asked(raw)["scheme"] == "https"


def test_certificate_that_is_over(tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match="ended on"):
        Tls(*write(tmp_path, days=0))


def test_handshake_that_does_not_come(tmp_path: Path) -> None:
    with (
        serving(Tls(*write(tmp_path)), receive_seconds=0.3) as url,
        connect(url) as raw,
    ):
        assert raw.is_closed()


def test_plain_http_is_no_answer(tmp_path: Path) -> None:
    with serving(Tls(*write(tmp_path))) as url, connect(url) as raw:
        raw.send(head("/"))
        assert raw.is_closed()


def test_which_name_clients_on_this_machine_use(tmp_path: Path) -> None:
    for names, local in [
        (LOCAL_NAMES, "127.0.0.1"),
        (("llm.example.org", "localhost"), "localhost"),
        (("*.example.org", "llm.example.org"), "llm.example.org"),
        (("*.example.org",), "127.0.0.1"),
    ]:
        certificate = Certificate.read(write(tmp_path, names)[0])
        assert certificate.names == names
        assert certificate.local_name == local


def test_who_listens_on_a_port_is_asked_by_tls_too(tmp_path: Path) -> None:
    with serving(Tls(*write(tmp_path))) as url:
        assert version_at("127.0.0.1", int(url.rpartition(":")[2])) == "echo"
