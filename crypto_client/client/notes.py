"""The notes of the own room as this home keeps them: whom its owner compared with, what is named.

They are kept apart from their room (docs/protocol.md §8.9): a server that deletes the room must
not take a verified mark away.
"""

from crypto_client.body import parse_body, write_body
from crypto_client.client.keys import Keyring
from crypto_client.client.store import Store
from crypto_client.errors import PinMismatchError, ProtocolError
from crypto_client.own_room import (
    DeviceName,
    KeptNote,
    Note,
    Place,
    Slot,
    VerifiedMark,
    keep_note,
    read_note,
)


class Notes:
    """What the owner wants: marks and names, as far as the log of the own room is known here."""

    def __init__(self, store: Store, own: bytes) -> None:
        self.store = store
        self.own = own

    def read(self, body: bytes, author: bytes) -> Note | None:
        """A body as a note; None for anything else, and for what the protocol ignores."""
        try:
            return read_note(parse_body(body), author=author, own=self.own)
        except ProtocolError:
            return None

    def kept(self) -> dict[Slot, KeptNote]:
        """Every note that counts, with its place."""
        kept: dict[Slot, KeptNote] = {}
        for row in self.store.rows("SELECT * FROM own_notes"):
            note = self.read(row["body"], self.own)
            if note is not None:
                kept[note.slot] = KeptNote(note, Place(row["room"], row["seq"]))
        return kept

    def keep(self, new: KeptNote, rooms: list[bytes]) -> None:
        """Keep a stored note, unless one that counts before it is known."""
        slot = new.note.slot
        if keep_note(self.kept(), new, rooms).get(slot) is not new:
            return
        body, place = write_body(new.note.members()), new.place
        sql = "INSERT OR REPLACE INTO own_notes VALUES (?, ?, ?, ?, ?)"
        self.store.run(sql, *slot, place.room, place.seq, body)

    def verified_key(self, user: bytes) -> bytes | None:
        """The account key of somebody that was compared and found the same."""
        found = self.kept().get(("verified", user))
        mark = found.note if found else None
        return mark.account if isinstance(mark, VerifiedMark) and mark.is_set else None

    def verified_users(self) -> list[bytes]:
        """Everybody who has a mark."""
        marks = (each.note for each in self.kept().values())
        return [mark.user for mark in marks if isinstance(mark, VerifiedMark) and mark.is_set]

    def device_name(self, device: bytes) -> str:
        """What an own device is called; empty without a name."""
        found = self.kept().get(("device", device))
        return found.note.name if found and isinstance(found.note, DeviceName) else ""


def demand_compared_key(keyring: Keyring, user: bytes) -> None:
    """Refuse to begin anything with an account key other than the one that was compared.

    ``pin_mismatch``: a home that meets somebody for the first time knows the mark, not the key.
    """
    compared = Notes(keyring.store, keyring.device.user).verified_key(user)
    if compared is not None and keyring.pins().get(user) != compared:
        raise PinMismatchError("another account key than the one that was compared")
