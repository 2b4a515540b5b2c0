"""The refusals of HRK/1: one class for each outcome name of docs/protocol.md §1.4."""

from typing import ClassVar


class ProtocolError(Exception):
    """Something did not verify; ``outcome`` is its one name in docs, vectors and both clients."""

    outcome: ClassVar[str] = "protocol"


class ParseError(ProtocolError):
    """The bytes are not an object of this kind."""

    outcome = "parse"


class SuiteError(ProtocolError):
    """The suite is unknown, or lower than its predecessor's."""

    outcome = "suite"


class ReferenceMissingError(ProtocolError):
    """It names another room or passkey, or bytes that are not at hand or not the named ones."""

    outcome = "reference"

    def __init__(self, message: str, *, list_hash: bytes | None = None) -> None:
        super().__init__(message)
        self.list_hash = list_hash


class EpochGapError(ProtocolError):
    """An epoch is missing in between: fetch it, then try again."""

    outcome = "epoch_gap"


class ForkError(ProtocolError):
    """It belongs to another history than ours."""

    outcome = "fork"


class RosterError(ProtocolError):
    """The roster is not what the operations make of it, or a writer is not in it."""

    outcome = "roster"


class CommitterError(ProtocolError):
    """This account or device may not commit here."""

    outcome = "committer"


class OpForbiddenError(ProtocolError):
    """An operation that its committer may not do."""

    outcome = "op_forbidden"


class PinMismatchError(ProtocolError):
    """Another account key than the one this client has pinned."""

    outcome = "pin_mismatch"


class ListRollbackError(ProtocolError):
    """An older device list than one already verified."""

    outcome = "list_rollback"


class ListForkError(ProtocolError):
    """A device list that contradicts one already verified."""

    outcome = "list_fork"


class PrekeyError(ProtocolError):
    """A prekey that must not be used."""

    outcome = "prekey"


class SignatureError(ProtocolError):
    """A signature, or a signing key, is not valid."""

    outcome = "signature"


class EpochUnusableError(ProtocolError):
    """The chain goes on, but this epoch does not open here."""

    outcome = "epoch_unusable"


class AeadError(ProtocolError):
    """Sealed bytes do not open."""

    outcome = "aead"


class CommitmentError(ProtocolError):
    """The commitment does not match what was sealed."""

    outcome = "commitment"


class BodyError(ProtocolError):
    """It opened, but it is not a well-formed body or padding."""

    outcome = "body"


class EquivocationError(ProtocolError):
    """One writer, one id or counter, two contents."""

    outcome = "equivocation"


class CounterError(ProtocolError):
    """A message counter that is out of range, used up or void."""

    outcome = "counter"


class CutError(ProtocolError):
    """Written by a dropped device after its end."""

    outcome = "cut"


class RecoveryError(ProtocolError):
    """A recovery secret, blob or history record that cannot be used."""

    outcome = "recovery"


class LinkError(ProtocolError):
    """A code or an answer by which no device may be linked."""

    outcome = "link"


class DisputeError(ProtocolError):
    """An objection by a device that may not object, or a step past a disputed list."""

    outcome = "dispute"


class FileError(ProtocolError):
    """A file whose sealed bytes, size or description are not what its message says."""

    outcome = "file"


class LogForkError(ProtocolError):
    """Another order of the room's log than ours."""

    outcome = "log_fork"


class ReportError(ProtocolError):
    """A report without a stamp that the server made over just this header."""

    outcome = "report"


class KeyLogError(ProtocolError):
    """The key log contradicts itself, what this client knows of it, or a device list."""

    outcome = "kt"


OUTCOMES = frozenset(error.outcome for error in ProtocolError.__subclasses__())
