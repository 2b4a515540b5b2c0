"""The device lists of a home, found by their hashes."""

from collections.abc import Iterator, Mapping

from crypto_client.client.store import Store
from crypto_client.device_list import SignedDeviceList


class StoredLists(Mapping[bytes, SignedDeviceList]):
    """Every device list that ever verified, by its hash.

    A home may hold thousands, and a commit needs those that it changes: each is fetched when it
    is asked for.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getitem__(self, list_hash: bytes) -> SignedDeviceList:
        sql = "SELECT data, sig FROM device_lists WHERE list_hash = ?"
        row = self._store.row(sql, list_hash)
        if row is None:
            raise KeyError(list_hash)
        return SignedDeviceList(row["data"], row["sig"])

    def __iter__(self) -> Iterator[bytes]:
        rows = self._store.rows("SELECT list_hash FROM device_lists")
        return iter([row["list_hash"] for row in rows])

    def __len__(self) -> int:
        return sum(1 for _ in self)
