"""Signed reasons for removing somebody, committed by another device (docs/protocol.md §6.5)."""

from collections.abc import Iterable
from dataclasses import dataclass

from crypto_client.encoding import ID_SIZE, SIGNATURE_SIZE, SUITE_BYTE, lp, lp_fields, u8, u64, uint
from crypto_client.errors import ParseError, SignatureError
from crypto_client.identity import DeviceKeys
from crypto_client.primitives import sign, verify

LEAVE, REMOVE_INTENT, SERVER_REMOVE = 1, 2, 3
# The reasons of a server-remove.
KEY_WAS_REPLACED = 1
_LABELS = {LEAVE: "leave", REMOVE_INTENT: "remove-intent", SERVER_REMOVE: "server-remove"}


@dataclass(frozen=True)
class Subject:
    """Whose membership a statement is about; joined_epoch keeps it from being used again."""

    room: bytes
    user: bytes
    amk_pub: bytes
    joined_epoch: int

    def _signed(self, *more: bytes) -> bytes:
        return lp(SUITE_BYTE, self.room, self.user, self.amk_pub, u64(self.joined_epoch), *more)

    def encode(self, time: bytes = b"", reason: bytes = b"") -> bytes:
        """Write what is signed; the server's statement adds time and reason."""
        return self._signed(time, reason) if time else self._signed()


@dataclass(frozen=True)
class Statement:
    """A leave, a remove-intent or a server-remove."""

    kind: int
    signer_user: bytes
    signer_device: bytes
    time: bytes
    reason: bytes
    sig: bytes

    def encode(self) -> bytes:
        """Write the statement as it stands in a remove operation."""
        return lp(
            u8(self.kind), self.signer_user, self.signer_device, self.time, self.reason, self.sig
        )

    def verify(self, subject: Subject, signer_pub: bytes) -> None:
        """Check the signature over this subject; ``signature`` when it is not the signer's."""
        content = subject.encode(self.time, self.reason)
        verify(signer_pub, _LABELS[self.kind], content, self.sig)

    def is_by_one_of(self, keys: Iterable[bytes], subject: Subject) -> bool:
        """Say whether one of these keys signed it: a server has a key for each of its logs."""
        for key in keys:
            try:
                self.verify(subject, key)
            except SignatureError:
                continue
            return True
        return False


def parse_statement(data: bytes) -> Statement:
    """Read a statement; ``parse`` for another shape."""
    kind, user, device, time, reason, sig = lp_fields(
        data, [1, None, None, None, None, SIGNATURE_SIZE]
    )
    by_server = uint(kind) == SERVER_REMOVE
    sizes = (0, 0, 8, 1) if by_server else (ID_SIZE, ID_SIZE, 0, 0)
    if uint(kind) not in _LABELS or (len(user), len(device), len(time), len(reason)) != sizes:
        raise ParseError("not a statement")
    return Statement(uint(kind), user, device, time, reason, sig)


def make_leave(keys: DeviceKeys, room: bytes, joined_epoch: int) -> Statement:
    """Declare that the own account leaves; somebody else commits it."""
    subject = Subject(room, keys.user, keys.amk_pub, joined_epoch)
    sig = keys.sign("leave", subject.encode())
    return Statement(LEAVE, keys.user, keys.device, b"", b"", sig)


def make_remove_intent(keys: DeviceKeys, subject: Subject) -> Statement:
    """Declare, as an admin, that a member has to go; any member may commit it."""
    sig = keys.sign("remove-intent", subject.encode())
    return Statement(REMOVE_INTENT, keys.user, keys.device, b"", b"", sig)


def make_server_remove(
    server_seed: bytes, subject: Subject, *, time: int, reason: int
) -> Statement:
    """Declare, as the server, that an account has gone; ``time`` in ms, ``reason`` one byte."""
    when, why = u64(time), u8(reason)
    sig = sign(server_seed, "server-remove", subject.encode(when, why))
    return Statement(SERVER_REMOVE, b"", b"", when, why, sig)
