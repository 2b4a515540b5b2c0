"""The bytes of a commit, read (docs/protocol.md, sections 6.4 and 7). Nothing is judged here."""

from dataclasses import dataclass
from uuid import UUID

from accounts.protocol import Malformed, ascending, digest, fixed, lp, read_lp, uint
from rooms.outcomes import CommitRefused, demand, demand_suite, parsing
from rooms.roster import KIND_DIRECT, KIND_GROUP, Create, Op, Origin, identity, parse_ops

NO_HASH = bytes(32)
HISTORY_OFF = 0
WRAP_SIZE = 1168
SEALED_TITLE_SIZES = (272, 528, 1040)  # a title bucket and the cipher's 16 bytes


@dataclass(frozen=True, slots=True)
class SentCommit:
    """A commit as it travels: six byte strings."""

    core: bytes
    tag: bytes
    sig: bytes
    ops: bytes
    state: bytes
    prekeys: bytes

    @property
    def hash(self) -> bytes:
        """What names this commit in the chain, in messages and in the log."""
        return digest("commit", lp(self.core, self.tag))


@dataclass(frozen=True, slots=True)
class Core:
    """The signed part."""

    room_id: UUID
    epoch: int
    prev_hash: bytes
    roster_hash: bytes
    ops_hash: bytes
    state_hash: bytes
    prekeys_hash: bytes
    committer_user: UUID
    committer_device: UUID


@dataclass(frozen=True, slots=True)
class State:
    """The clear fields of a room's state; the title beside them is sealed."""

    kind: int
    history_policy: int
    add_policy: int
    ttl_seconds: int


@dataclass(frozen=True, slots=True)
class PrekeyEntry:
    """For which prekey of a device this commit made a wrap; ``seq`` 0: none."""

    seq: int
    prekey_hash: bytes


@dataclass(frozen=True, slots=True)
class ReadCommit:
    """A commit whose parts have the right form and are the ones its core names."""

    sent: SentCommit
    core: Core
    ops: tuple[Op, ...]
    state: State
    prekeys: dict[UUID, PrekeyEntry]
    hash: bytes

    @property
    def origin(self) -> Origin:
        """Where the room comes from, for a commit of epoch 0; else ``roster``."""
        if len(self.ops) != 1 or not isinstance(self.ops[0], Create):
            raise CommitRefused("roster")
        return self.ops[0].origin


def parse_core(data: bytes) -> Core:
    """Read ``core``; another shape is `Malformed`, another suite ``suite``."""
    fields = read_lp(data, 12)
    if fields[0] != b"commit":
        raise Malformed("not a commit")
    demand_suite(fields)
    room, epoch, prev, roster, ops, state, prekeys, user, device, time = fields[2:]
    uint(time, 8)
    return Core(
        identity(room),
        uint(epoch, 8),
        fixed(prev, 32),
        fixed(roster, 32),
        fixed(ops, 32),
        fixed(state, 32),
        fixed(prekeys, 32),
        identity(user),
        identity(device),
    )


def parse_state(data: bytes) -> State:
    """Read the clear fields of a state; values this version does not have are `Malformed`."""
    kind, history_policy, add_policy, ttl, sealed = read_lp(data, 5)
    state = State(uint(kind, 1), uint(history_policy, 1), uint(add_policy, 1), uint(ttl, 4))
    if (
        state.kind not in (KIND_GROUP, KIND_DIRECT)
        or state.history_policy > 1
        or state.add_policy > 1
        or state.ttl_seconds != 0
        or len(sealed) not in SEALED_TITLE_SIZES
    ):
        raise Malformed("a state of another version")
    return state


def parse_prekeys(data: bytes) -> dict[UUID, PrekeyEntry]:
    """Read a prekeys list, ascending by device; else `Malformed`."""
    rows = [read_lp(row, 3) for row in read_lp(data)]
    ascending([fixed(device, 16) for device, _, _ in rows])
    entries = {
        identity(device): PrekeyEntry(uint(seq, 8), fixed(prekey_hash, 32))
        for device, seq, prekey_hash in rows
    }
    if any((entry.seq == 0) != (entry.prekey_hash == NO_HASH) for entry in entries.values()):
        raise Malformed("a prekey row that is half empty")
    return entries


def read_commit(sent: SentCommit) -> ReadCommit:
    """Parse a commit; ``parse``, ``suite``, or ``reference`` for parts that core does not name."""
    with parsing():
        fixed(sent.tag, 32), fixed(sent.sig, 64)
        core, ops = parse_core(sent.core), parse_ops(sent.ops)
        state, prekeys = parse_state(sent.state), parse_prekeys(sent.prekeys)
    named = (core.ops_hash, core.state_hash, core.prekeys_hash)
    given = (digest("ops", sent.ops), digest("state", sent.state), digest("prekeys", sent.prekeys))
    demand(named == given, "reference")
    return ReadCommit(sent, core, ops, state, prekeys, sent.hash)
