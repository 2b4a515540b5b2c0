"""Vectors of docs/protocol.md §7.3: devices that enter by a list, and how rooms begin."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from crypto_client.commit import ClearState, Commit
from crypto_client.committing import commit_refresh, commit_remove
from crypto_client.device_list import (
    SignedDeviceList,
    next_device_list,
    parse_device_list,
    sign_device_list,
)
from crypto_client.encoding import SUITE_BYTE, lp
from crypto_client.encoding import encode_base64url as b64
from crypto_client.identity import AccountKey, DeviceEntry, DeviceKeys, device_id, new_device
from crypto_client.ops import (
    Create,
    Refresh,
    Seen,
)
from crypto_client.primitives import sign
from crypto_client.receiving import Received
from crypto_client.roster import ROLE_ADMIN, group_origin
from crypto_client.vectors.case import Case
from crypto_client.vectors.cast import NOW, World, everyone, group, seeded
from crypto_client.vectors.commit_cases import by_of, judged
from crypto_client.vectors.forge import Forgery
from crypto_client.vectors.room_cases import row, sorted_roster
from crypto_client.vectors.rule_cases import Rules


def cases(cast: World) -> Iterator[tuple[str, Case]]:
    """Give every case with its topic."""
    _, received = group(cast, "alice", "bob", "carol")
    entering = Entering(cast, received)
    for case in (*entering.devices(), *entering.creations()):
        yield "rules", case


class Entering(Rules):
    """The same group; devices and rooms come in."""

    def devices(self) -> Iterator[Case]:
        """Device lists in rosters: entering, leaving, rolling back."""
        carol = self.carol
        laptop = new_device(carol.user, carol.account.public, NOW, seeded("laptop"))
        both = next_device_list(
            carol.account, carol.devices, [carol.keys.entry(), laptop.entry()], time=NOW
        )
        yield from self._with_own_refresh(laptop, both)
        yield from self._not_in_the_new_list(laptop)
        yield from self._lists_of_others(both)
        yield from self._newer(laptop, both)

    def _with_own_refresh(self, laptop: DeviceKeys, both: SignedDeviceList) -> Iterator[Case]:
        carol = self.carol
        lists = {"lists": [both]}
        refresh = Refresh(carol.user, 2, both.list_hash)
        entering = self.forge(laptop, refresh)
        why = "a device comes in with its own refresh"
        yield self.case("self-add", why, entering, "ok", **lists)
        bare = self.forge(laptop)
        yield self.case("self-add-without-refresh", "not in yet", bare, "committer", **lists)

    def _not_in_the_new_list(self, laptop: DeviceKeys) -> Iterator[Case]:
        bob, carol = self.bob, self.carol
        only = next_device_list(carol.account, carol.devices, [laptop.entry()], time=NOW)
        revoking = self.forge(
            carol.keys, Refresh(carol.user, 2, only.list_hash), Seen(carol.keys.device, 0)
        )
        name = "commit-by-device-it-revokes"
        yield self.case(name, "it would know the secret", revoking, "committer", lists=[only])
        yield self.case(
            "commit-by-device-absent-in-new-list",
            "a stranger's device",
            self.forge(replace(self.cast.mallory.keys, user=carol.user)),
            "committer",
        )
        borrowed = self.forge(replace(bob.keys, user=carol.user))
        name = "commit-by-device-of-other-member"
        yield self.case(name, "bob's device in carol's name", borrowed, "committer")

    def _lists_of_others(self, both: SignedDeviceList) -> Iterator[Case]:
        bob, carol = self.bob, self.carol
        foreign = Refresh(carol.user, 1, bob.devices.list_hash)
        wrong = self.forge(bob.keys, replace(foreign, list_version=2))
        name = "self-add-list-of-other-user"
        yield self.case(name, "bob's list in carol's row", wrong)
        mallory = AccountKey(carol.user, seeded("stolen")(32))
        theirs = new_device(carol.user, mallory.public, NOW, seeded("ghost"))
        content = replace(
            parse_device_list(both.data), amk_pub=mallory.public, entries=(theirs.entry(),)
        )
        ghost = sign_device_list(mallory, content)
        under = self.forge(bob.keys, Refresh(carol.user, 2, ghost.list_hash))
        why = "a new key is a new party"
        yield self.case("refresh-under-other-amk", why, under, lists=[ghost])

    def _newer(self, laptop: DeviceKeys, both: SignedDeviceList) -> Iterator[Case]:
        bob, carol = self.bob, self.carol
        by = replace(self.cast.committer(bob), lists={**self.cast.lists, both.list_hash: both})
        after = judged_view(self, commit_refresh(self.view, [both], by), [both])
        older = Forgery(
            after.view, bob.keys, [Refresh(carol.user, 1, carol.devices.list_hash)], [bob]
        ).make()
        name, why = "commit-refresh-to-older-list", "a revocation cannot be undone"
        yield self.case(name, why, older, "list_rollback", before=after, lists=[both])
        content = parse_device_list(both.data)
        torn = sign_device_list(carol.account, replace(content, prev_list_hash=b"x" * 32))
        broken = self.forge(bob.keys, Refresh(carol.user, 2, torn.list_hash))
        name = "refresh-chain-broken"
        yield self.case(name, "another predecessor", broken, "list_fork", lists=[torn])
        forged = replace(both, sig=bytes(64))
        unsigned = self.forge(bob.keys, Refresh(carol.user, 2, both.list_hash))
        yield self.case("refresh-unsigned", "a list", unsigned, "signature", lists=[forged])
        gone = everyone(
            self.cast,
            self.received,
            commit_remove(self.view, carol.user, by_of(self.cast, self.received)),
        )
        back = Forgery(gone["bob"].view, carol.keys, (), [bob]).make()
        name, why = "self-add-after-removal", "removed is removed"
        yield self.case(name, why, back, "committer", before=gone["bob"])
        yield from self._shared_key(laptop)
        yield from self._longer(laptop, both)

    def _longer(self, laptop: DeviceKeys, both: SignedDeviceList) -> Iterator[Case]:
        bob, carol = self.bob, self.carol
        rows = [carol.keys.entry(), laptop.entry()]
        third = next_device_list(carol.account, both, rows, time=NOW)
        jump = self.forge(bob.keys, Refresh(carol.user, 3, third.list_hash))
        name, why = "refresh-two-versions", "the list in between is at hand"
        yield self.case(name, why, jump, "ok", lists=[both, third])
        name, why = "refresh-list-between-missing", "fetch it first"
        yield self.case(name, why, jump, "reference", lists=[third])
        name, why = "refresh-list-between-unsigned", "every link is checked"
        forged = replace(both, sig=bytes(64))
        yield self.case(name, why, jump, "signature", lists=[forged, third])
        content = replace(parse_device_list(third.data), version=4, prev_list_hash=both.list_hash)
        leap = sign_device_list(carol.account, content)
        commit = self.forge(bob.keys, Refresh(carol.user, 4, leap.list_hash))
        name, why = "refresh-version-left-out", "version 3 is nowhere"
        yield self.case(name, why, commit, "list_fork", lists=[both, leap])

    def _shared_key(self, laptop: DeviceKeys) -> Iterator[Case]:
        carol, bob = self.carol, self.bob
        device = device_id(carol.user, bob.keys.dsk_pub)
        content = lp(SUITE_BYTE, carol.user, carol.account.public, device)
        accept = sign(bob.keys.dsk_seed, "device-accept", content)
        entry = DeviceEntry(device, bob.keys.dsk_pub, accept, NOW)
        shared = next_device_list(
            carol.account, carol.devices, [carol.keys.entry(), entry], time=NOW
        )
        commit = self.forge(bob.keys, Refresh(carol.user, 2, shared.list_hash))
        name, why = "same-dsk-two-accounts-in-roster", "who wrote what would be open"
        yield self.case(name, why, commit, "roster", lists=[shared])

    def creations(self) -> Iterator[Case]:
        """Epoch 0."""
        alice, bob, carol = self.alice, self.bob, self.carol
        origin = group_origin(
            alice.user, alice.account.public, alice.keys.device, seeded("creations")
        )
        rows = sorted_roster(row(alice, ROLE_ADMIN), row(bob))

        def create(by: DeviceKeys, roster: Sequence[Any] = rows, **parts: Any) -> Commit:
            op = Create(origin, tuple(roster))
            return Forgery(None, by, [op], [bob], **parts).make()

        def case(name: str, comment: str, commit: Commit, expect: str, **more: Any) -> Case:
            return judged(self.cast, None, commit, name, comment, expect, **more)

        yield case("create", "as it should be", create(alice.keys), "ok")
        other = create(bob.keys)
        yield case("genesis-creator-mismatch", "bob begins alice's room", other, "committer")
        two = sorted_roster(row(alice, ROLE_ADMIN), row(bob, ROLE_ADMIN))
        yield case("create-two-admins", "one admin", create(alice.keys, two), "op_forbidden")
        late = sorted_roster(row(alice, ROLE_ADMIN), row(bob, joined=3))
        yield case("create-joined-later", "all at once", create(alice.keys, late), "op_forbidden")
        direct_state = create(alice.keys, clear=ClearState(2))
        yield case("create-other-kind", "kind of origin", direct_state, "op_forbidden")
        elsewhere = create(alice.keys, core={"prev_hash": bytes(32)})
        yield case("create-prev-hash", "names its origin", elsewhere, "fork")
        moved = create(alice.keys, core={"room": b"r" * 16})
        name, why = "create-in-other-room", "the id follows from the origin"
        yield case(name, why, moved, "reference")
        unsigned = {"data": b64(bob.devices.data), "sig": b64(bytes(64))}
        weak = case("create-list-unsigned", "anybody's list", create(alice.keys), "signature")
        lists = [item for item in weak.given["lists"] if item["data"] != unsigned["data"]]
        yield replace(weak, given={**weak.given, "lists": [*lists, unsigned]})
        pin = {alice.user: carol.account.public}
        why = "alice with a new key"
        yield case("create-with-new-amk", why, create(alice.keys), "pin_mismatch", pins=pin)
        later = self.forge(alice.keys)
        yield case("join-without-origin", "starts in the middle", later, "epoch_gap")


def judged_view(rules: Rules, commit: Commit, lists: Sequence[SignedDeviceList]) -> Received:
    """Let bob receive a commit that needs more lists."""
    trust = rules.cast.trust()
    more = {signed.list_hash: signed for signed in lists}
    trust = replace(trust, lists={**trust.lists, **more})
    return rules.cast.receive(rules.bob, rules.view, commit, trust)
