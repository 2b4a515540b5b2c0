"""One run of the program: the home, the server, and when asked for, keys and a synced socket."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crypto_client.client.failures import Refused
from crypto_client.client.keys import Keyring, now_ms
from crypto_client.client.server import Server, unb64
from crypto_client.client.socket import Socket
from crypto_client.client.store import Store, Unlock
from crypto_client.client.sync import Messenger
from crypto_client.client.unlocking import Unlocking

DEFAULT_SERVER = "http://127.0.0.1:8000"


class Session:
    """What a command works with; everything is opened when first needed and closed at the end."""

    def __init__(self, store: Store, server: Server, timeout: float) -> None:
        self.store = store
        self.server = server
        self.timeout = timeout
        self._socket: Socket | None = None
        self._messenger: Messenger | None = None

    @staticmethod
    @contextmanager
    def open(
        home: Path, url: str | None, timeout: float, unlock: Unlock | None = None
    ) -> "Iterator[Session]":
        """Take the home for this process and make ready to talk to its server."""
        store = Store(home, unlock or Unlocking())
        address = url or store.fact("server") or DEFAULT_SERVER
        server = Server(address, token=store.fact("token"), timeout=timeout)
        session = Session(store, server, timeout)
        try:
            yield session
        finally:
            session._close()

    def _close(self) -> None:
        if self._socket:
            self._socket.close()
        self.server.close()
        self.store.close()

    def remember_sign_in(self) -> None:
        """Keep the server's address and the session token for the next command."""
        with self.store.transaction():
            self.store.remember("server", self.server.url)
            self.store.remember("token", self.server.token)

    @property
    def keyring(self) -> Keyring:
        """This device's keys, of the account that is signed in."""
        if self.server.token is None:
            raise Refused("not_signed_in")
        return Keyring.load(self.store, self.server)

    @property
    def messenger(self) -> Messenger:
        """A socket that has proved this device, with everything up to now fetched and opened."""
        if self._messenger is None:
            keyring = self.keyring
            keyring.prove_session()
            keyring.renew_prekey()
            keyring.key_log.try_follow(now_ms())
            token = self.server.token or ""
            self._socket = Socket(self.server.socket_url, token=token, timeout=self.timeout)
            nonce = unb64(self._socket.hello()["nonce"])
            device = str(keyring.device_id)
            self._socket.ask("device.prove", device_id=device, signature=keyring.proof(nonce))
            self._messenger = Messenger(self.store, self.server, keyring, self._socket)
            self._messenger.catch_up()
        return self._messenger

    @property
    def sender(self) -> Messenger:
        """The messenger, also while the server can take messages and not show any.

        It then knows of its rooms what it knew before. A room that has moved on refuses what is
        sealed for its past, so that nothing is sent to the wrong people.
        """
        try:
            return self.messenger
        except Refused as refusal:
            if refusal.code != "unavailable" or self._messenger is None:
                raise
            self._messenger.send_waiting()
            return self._messenger
