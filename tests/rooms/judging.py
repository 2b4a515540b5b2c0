"""Forged commits before two judges: the server, and a client. The server is never more lenient."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from crypto_client.commit import Commit
from crypto_client.committing import member_row
from crypto_client.epoch import Trust
from crypto_client.errors import ProtocolError
from crypto_client.ops import Add, Op, Remove, Seen, apply_ops
from crypto_client.receiving import receive_commit
from crypto_client.roster import Member, Roster, find_member
from crypto_client.statements import Subject
from rooms import services
from rooms.commit import SentCommit
from rooms.models import EpochCommit
from rooms.outcomes import CommitRefused
from tests.rooms.forging import forge
from tests.rooms.garden import Garden, id_bytes

Forged = tuple[SentCommit, dict[UUID, bytes]]


def offer(garden: Garden, by: str, forged: Forged, device: UUID | None = None) -> str:
    """Hand a commit to the server as one of the cast; gives the outcome, "ok" when it took it."""
    sent, wraps = forged
    person = garden.cast[by]
    try:
        services.insert_pending_commit(
            actor=person.user,
            device_id=device or person.device_id,
            room_id=garden.id,
            sent=sent,
            wraps=wraps,
        )
    except CommitRefused as refused:
        assert not EpochCommit.objects.filter(status=EpochCommit.Status.PENDING).exists()
        return refused.outcome
    return "ok"


def judge(garden: Garden, forged: Forged) -> str:
    """What a client says to it: an outcome, or "ok"."""
    sent, _ = forged
    commit = Commit(sent.core, sent.tag, sent.sig, sent.ops, sent.state, sent.prekeys)
    trust = Trust(garden.chain.lists, {})
    try:
        received = receive_commit(
            garden.chain.head, commit, room=garden.chain.head.room, trust=trust
        )
    except ProtocolError as error:
        return error.outcome
    return received.outcome


def row(garden: Garden, name: str) -> Member:
    found = find_member(garden.chain.head.roster, id_bytes(name))
    assert found is not None
    return found


def removal(garden: Garden, name: str, statement: bytes = b"") -> Remove:
    member = row(garden, name)
    return Remove(member.user, member.amk_pub, member.joined_epoch, statement)


def subject(garden: Garden, name: str, **changes: Any) -> Subject:
    member = row(garden, name)
    about = Subject(garden.chain.head.room, member.user, member.amk_pub, member.joined_epoch)
    return replace(about, **changes)


def cut(garden: Garden, name: str) -> Seen:
    return Seen(garden.chain.keys[name].device.device, 4096)


def after(garden: Garden, *ops: Op) -> Roster:
    return apply_ops(garden.chain.head.roster, ops)


def with_ops(garden: Garden, by: str, *ops: Op, **changes: Any) -> Forged:
    """A commit whose roster is what its operations make."""
    return forge(garden.chain, by, ops, roster=after(garden, *ops), **changes)


def newcomer(garden: Garden, name: str, **changes: Any) -> Add:
    epoch = garden.chain.head.epoch + 1
    return Add(replace(member_row(garden.chain.list_of(name), joined_epoch=epoch), **changes))


def commit_of(sent: SentCommit, wraps: Mapping[UUID, bytes]) -> Commit:
    by_device = {device.bytes: wrap for device, wrap in wraps.items()}
    return Commit(
        sent.core, sent.tag, sent.sig, sent.ops, sent.state, sent.prekeys, wraps=by_device
    )
