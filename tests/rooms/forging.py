"""Commits that no honest client makes: every part can be chosen. The server cannot open wraps, so
that random bytes of the right length stand for them."""

import os
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from accounts.services import now_ms
from crypto_client.commit import NO_PREKEY, ClearState, Core, PrekeyRow, encode_prekeys
from crypto_client.encoding import lp
from crypto_client.epoch import Trust, senders_of
from crypto_client.identity import DeviceKeys
from crypto_client.ops import Op, encode_ops
from crypto_client.primitives import h
from crypto_client.roster import Roster, roster_hash
from rooms.commit import SentCommit
from tests.rooms.garden import Chain

WRAP = bytes(1168)
SEALED = os.urandom(272)


def prekey_rows(chain: Chain, roster: Roster) -> list[PrekeyRow]:
    """The rows of every device of a roster, with its newest prekey."""
    prekeys = {keys.device.device: keys.prekey for keys in chain.keys.values()}
    devices = senders_of(roster, Trust(chain.lists, {}))
    return [
        PrekeyRow(device, 1, prekeys[device].prekey_hash)
        if device in prekeys
        else PrekeyRow(device, 0, NO_PREKEY)
        for device in devices
    ]


def next_place(chain: Chain, keys: DeviceKeys) -> dict[str, Any]:
    """The fields of a core that say where in which chain it belongs, and whose it is."""
    return {
        "room": chain.head.room,
        "epoch": chain.head.epoch + 1,
        "prev_hash": chain.head.head,
        "committer_user": keys.user,
        "committer_device": keys.device,
        "time": now_ms(),
    }


def forge(
    chain: Chain,
    by: str,
    ops: Sequence[Op],
    *,
    roster: Roster | None = None,
    clear: ClearState | None = None,
    rows: Sequence[PrekeyRow] | None = None,
    wraps: Mapping[UUID, bytes] | None = None,
    signer: DeviceKeys | None = None,
    raw_ops: bytes | None = None,
    **core: Any,
) -> tuple[SentCommit, dict[UUID, bytes]]:
    """A commit on the chain's head with these operations, and its wraps.

    ``roster`` is what it claims as result (the head's unless named), ``core`` replaces fields.
    """
    keys = chain.keys[by].device
    claimed = chain.head.roster if roster is None else roster
    rows = prekey_rows(chain, claimed) if rows is None else rows
    if wraps is None:
        wraps = {UUID(bytes=row.device): WRAP for row in rows if row.seq}
    state = (clear or chain.head.clear).encode(SEALED)
    encoded_ops = encode_ops(ops) if raw_ops is None else raw_ops
    prekeys = encode_prekeys(rows)
    named = {
        "roster_hash": roster_hash(claimed),
        "ops_hash": h("ops", encoded_ops),
        "state_hash": h("state", state),
        "prekeys_hash": h("prekeys", prekeys),
    }
    encoded = Core(**{**next_place(chain, keys), **named, **core}).encode()
    tag = os.urandom(32)
    sig = (signer or keys).sign("commit", h("commit", lp(encoded, tag)))
    return SentCommit(encoded, tag, sig, encoded_ops, state, prekeys), dict(wraps)
