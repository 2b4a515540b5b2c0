"""Entering a room by a contact's invitation."""

from dataclasses import dataclass, replace

import pytest

from crypto_client.commit import Commit, PrekeySource
from crypto_client.committing import commit_add
from crypto_client.epoch import Trust
from crypto_client.errors import (
    ForkError,
    PinMismatchError,
    ProtocolError,
    ReferenceMissingError,
    RosterError,
    SignatureError,
)
from crypto_client.identity import new_device
from crypto_client.joining import Invite, join_by_invite, make_invite
from crypto_client.receiving import Received
from crypto_client.roster import find_member
from crypto_client.vectors.cast import NOW, World, everyone, group, world


@dataclass
class Invited:
    """alice has added carol to the garden of alice and bob and invites her."""

    cast: World
    commit: Commit
    after: Received
    invite: Invite

    def join(
        self,
        invite: Invite | None = None,
        trust: Trust | None = None,
        source: PrekeySource | None = None,
    ) -> Received:
        carol = self.cast.carol
        return join_by_invite(
            invite or self.invite,
            self.commit,
            self.after.view.roster,
            own=(carol.user, carol.account.public),
            trust=trust or self.cast.trust(),
            source=source or carol.source,
        )


@pytest.fixture
def invited() -> Invited:
    cast = world("alice", "bob", "carol", "mallory")
    _, received = group(cast, "alice", "bob")
    view = received["alice"].view
    by = cast.committer(cast.alice, received["alice"].epoch)
    commit = commit_add(view, [cast.carol.devices], by)
    after = everyone(cast, received, commit)["alice"]
    row = find_member(after.view.roster, cast.carol.user)
    assert row is not None
    return Invited(cast, commit, after, make_invite(cast.alice.keys, after.view, row, view.head))


def test_a_newcomer_joins_by_a_contact_s_invitation(invited: Invited) -> None:
    got = invited.join()
    assert got.outcome == "ok"
    assert got.epoch is not None
    assert got.view.title == "garden"
    assert got.view.head == invited.after.view.head


def test_a_device_that_the_roster_does_not_name_joins_without_an_epoch(invited: Invited) -> None:
    carol = invited.cast.carol
    laptop = new_device(carol.user, carol.account.public, NOW)
    elsewhere = PrekeySource(carol.user, laptop.device, {})
    got = invited.join(source=elsewhere)
    assert (got.outcome, got.epoch) == ("ok", None)


def test_an_invitation_for_another_account_is_refused(invited: Invited) -> None:
    with pytest.raises(ReferenceMissingError):
        invited.join(replace(invited.invite, new_user=invited.cast.bob.user))


def test_an_invitation_by_a_stranger_is_refused(invited: Invited) -> None:
    pins = {k: v for k, v in invited.cast.trust().pins.items() if k != invited.cast.alice.user}
    with pytest.raises(PinMismatchError):
        invited.join(trust=Trust(invited.cast.lists, pins))


def test_a_forged_invitation_is_refused(invited: Invited) -> None:
    with pytest.raises(SignatureError):
        invited.join(replace(invited.invite, sig=bytes(64)))


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"room": b"q" * 16}, ReferenceMissingError),
        ({"roster_hash": bytes(32)}, RosterError),
        ({"epoch": 4}, RosterError),
        ({"prev_hash": bytes(32)}, SignatureError),
    ],
)
def test_an_invitation_is_bound_to_one_place(
    invited: Invited, change: dict[str, bytes], refusal: type[ProtocolError]
) -> None:
    with pytest.raises(refusal):
        invited.join(replace(invited.invite, **change))  # type: ignore[arg-type]


def test_an_invitation_does_not_open_another_commit(invited: Invited) -> None:
    view = invited.after.view
    by = invited.cast.committer(invited.cast.alice, invited.after.epoch)
    other = commit_add(view, [invited.cast.mallory.devices], by)
    with pytest.raises(ForkError):
        replace(invited, commit=other).join()
