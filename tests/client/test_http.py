"""Ways to the server that go wrong or around, on real sockets."""

from __future__ import annotations

import socket

import pytest

from llmaas_client import errors
from support import answers
from support.clients import KINDS, Kind, StillClock, chat
from support.http_server import Exchange, serving


def hello(exchange: Exchange) -> None:
    exchange.answer(answers.chat("Hi"))


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_listens(kind: Kind) -> None:
    with serving(hello) as server:
        gone = server.url
    clock = StillClock()
    with pytest.raises(errors.ConnectionFailed, match=f"nothing listens on {gone}") as caught:
        chat(kind, gone, clock=clock)
    assert caught.value.hint == "start the server with: llmaas serve"
    assert caught.value.attempts == 3
    assert len(clock.slept) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_dropped_answer_is_not_asked_for_again(kind: Kind) -> None:
    with serving(Exchange.hang_up) as server:
        with pytest.raises(errors.ConnectionFailed, match="broke") as caught:
            chat(kind, server.url, clock=StillClock())
        assert len(server.requests) == 1
    assert not caught.value.retryable


@pytest.mark.parametrize("kind", KINDS)
def test_what_answers_does_not_speak_http(kind: Kind) -> None:
    def babble(exchange: Exchange) -> None:
        exchange.send(b"SSH-2.0-OpenSSH\r\n\r\n")
        exchange.hang_up()

    with serving(babble) as server, pytest.raises(errors.ConnectionFailed):
        chat(kind, server.url)


@pytest.mark.parametrize("kind", KINDS)
def test_tls_to_a_server_without_it(kind: Kind) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(errors.DeadlineExceeded) as caught:
            chat(kind, url, timeout=0.3)
    assert caught.value.phase == "connect"


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_that_is_not_known(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(errors.ConnectionFailed, match="its name is not known"):
        chat(kind, "http://nothing.invalid", clock=StillClock())


@pytest.mark.parametrize("kind", KINDS)
def test_every_address_of_a_name_is_tried(kind: Kind) -> None:
    """The server listens on 127.0.0.1 only; a name with ::1 in front of it leads there too."""
    with serving(hello) as server:
        port = server.url.rpartition(":")[2]
        assert chat(kind, f"http://localhost:{port}").text == "Hi"


@pytest.mark.parametrize("kind", KINDS)
def test_a_proxy_of_the_environment_is_used_for_other_machines(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(hello) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.replace("//", "//me:word@"))
        assert chat(kind, "http://outside.example").text == "Hi"
        request = proxy.requests[0]
    assert request.path == "http://outside.example/v1/tasks/chat"
    assert request.headers["proxy-authorization"].startswith("Basic ")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("url", ["socks5://me:word@127.0.0.1:1", "nonsense://x"])
def test_a_proxy_that_cannot_be_used(kind: Kind, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", url)
    with pytest.raises(errors.ConfigurationError, match="proxy") as caught:
        chat(kind, "http://outside.example")
    assert "word" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_path_in_front(kind: Kind) -> None:
    with serving(hello) as server:
        chat(kind, f"{server.url}/llm/")
        assert server.requests[0].path == "/llm/v1/tasks/chat"


@pytest.mark.parametrize("kind", KINDS)
def test_says_who_asks(kind: Kind) -> None:
    with serving(hello) as server:
        chat(kind, server.url)
        assert server.requests[0].headers["user-agent"].startswith("llmaas/")
