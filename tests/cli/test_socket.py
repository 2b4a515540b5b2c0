"""The program's socket against servers that are not well."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from crypto_client.client.failures import TimedOut
from crypto_client.client.socket import Socket
from deploy.services.certificates import make_certificates

PATIENCE = 15.0  # seconds that the silent server waits for the program to go


class Silent:
    """A server that speaks TLS, session tickets included, and answers no request."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.saw_end = threading.Event()
        self._thread = threading.Thread(target=self._hold_one)
        self._thread.start()

    def _hold_one(self) -> None:
        raw, _ = self._listening.accept()
        with self._context.wrap_socket(raw, server_side=True) as held:
            held.settimeout(PATIENCE)
            try:
                while held.recv(65_536):
                    continue
            except TimeoutError:
                return
            except OSError:
                pass
            self.saw_end.set()

    def close(self) -> None:
        self._listening.close()
        self._thread.join()


@contextmanager
def silent_server(folder, monkeypatch) -> Iterator[Silent]:
    monkeypatch.setenv("SSL_CERT_FILE", str(make_certificates(folder)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    server = Silent(context)
    try:
        yield server
    finally:
        server.close()


def test_a_server_that_opens_tls_and_says_nothing_is_left_after_the_timeout(tmp_path, monkeypatch):
    with silent_server(tmp_path, monkeypatch) as server:
        with pytest.raises(TimedOut, match="server_timeout"):
            Socket(f"wss://localhost:{server.port}/ws/", token="t", timeout=0.5)
        threads = [thread.name for thread in threading.enumerate() if "run_forever" in thread.name]
    assert server.saw_end.is_set()
    assert threads == []
