"""A TCP door before a service, which a test can shut, block and open again."""

import contextlib
import socket
import threading
from urllib.parse import urlsplit


class Gateway:
    """Forwards connections to a service. ``shut``: as if it had died. ``block``: as if it hung."""

    def __init__(self, url: str, host: str = "127.0.0.1") -> None:
        self._host = host
        self._url = urlsplit(url)
        assert self._url.hostname is not None
        assert self._url.port is not None
        self._target = (self._url.hostname, self._url.port)
        self._sockets: set[socket.socket] = set()
        self._flows = threading.Event()
        self._listener = socket.create_server((host, 0))
        self.port: int = self._listener.getsockname()[1]
        self._is_open = False
        self.open()

    @property
    def url(self) -> str:
        """The service's address by way of this door."""
        user = self._url.netloc.rpartition("@")[0]
        host = f"{self._host}:{self.port}"
        return self._url._replace(netloc=f"{user}@{host}" if user else host).geturl()

    def open(self) -> None:
        """Let everybody through, on the same port as before."""
        self._flows.set()
        if not self._is_open:
            if self._listener.fileno() == -1:
                self._listener = socket.create_server((self._host, self.port))
            self._is_open = True
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def block(self) -> None:
        """Take what is sent and forward nothing, in both directions."""
        self._flows.clear()

    def shut(self) -> None:
        """Refuse new connections and break the present ones."""
        self._is_open = False
        # Waking who accepts first: a listener closed meanwhile would accept once more.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in tuple(self._sockets):
            self._break(each)
        self._flows.set()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._target, 5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            self._sockets |= {client, server}
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._flows.wait()
                sink.sendall(data)
        for each in (source, sink):
            self._break(each)

    def _break(self, each: socket.socket) -> None:
        self._sockets.discard(each)
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()
