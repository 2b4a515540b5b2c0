"""What a hostile server does with the key log, and what the command-line client believes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from crypto_client.body import KeyLogClaim
from crypto_client.client.key_log import MAX_CLAIMS_WAITING, KeyLog
from crypto_client.client.keys import Keyring, keep_list
from crypto_client.client.server import b64
from crypto_client.client.store import Store
from crypto_client.device_list import SignedDeviceList, first_device_list, next_device_list
from crypto_client.errors import KeyLogError
from crypto_client.identity import AccountKey, new_device
from crypto_client.key_log import FRESH_MS, label_of
from crypto_client.primitives import h
from crypto_client.vectors.cast import NOW, Person, World, world
from crypto_client.vectors.key_log_cases import ServerLog, restarted
from tests.crypto_client.hostile import HostileServer, KeyLogServer, keys_of, list_row

ROOM, MESSAGE = b"r" * 16, b"m" * 16


@dataclass
class Alice:
    """alice's client and the server that she asks."""

    cast: World
    server: HostileServer
    store: Store
    keyring: Keyring

    @property
    def log(self) -> ServerLog:
        return self.server.key_log.log

    @property
    def key_log(self) -> KeyLog:
        return self.keyring.key_log

    def follow(self) -> int:
        self.key_log.follow(NOW)
        log = self.key_log.followed()
        assert log is not None
        return log.frontier.size

    def publish(self, who: Person, *, in_log: bool = True) -> SignedDeviceList:
        """Somebody's second device list reaches the server."""
        second = next_device_list(who.account, who.devices, [who.keys.entry()], time=NOW)
        self.server.keys[who.user]["lists"] = [list_row(who.devices), list_row(second)]
        if in_log:
            self.log.add(label_of(who.user), second.list_hash)
        return second

    def is_refused(self, why: str) -> None:
        """The log is refused, said to be, and nothing that was followed has changed."""
        before = (self.key_log.followed(), self.key_log.head())
        with pytest.raises(KeyLogError, match=why):
            self.follow()
        assert (self.key_log.followed(), self.key_log.head()) == before
        assert why in self.key_log.trouble


@pytest.fixture
def alice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("crypto_client.client.keys.now_ms", lambda: NOW)
    cast = world("alice", "bob", "carol")
    server = HostileServer.of(cast)
    store = Store(tmp_path / "alice")
    keep_list(store, cast.alice.user, cast.alice.account.public, cast.alice.devices, 1)
    keyring = Keyring(store, server, cast.alice.keys)  # type: ignore[arg-type]
    yield Alice(cast, server, store, keyring)
    store.close()


def false_list(user: bytes) -> tuple[AccountKey, SignedDeviceList]:
    """What a server makes up for somebody: another account key and a device of its own."""
    account = AccountKey(user, bytes(32))
    keys = new_device(user, account.public, NOW)
    return account, first_device_list(account, [keys.entry()], time=NOW, bk_pub=bytes(1216))


# A fair server


def test_a_fair_log_is_followed_page_by_page(alice: Alice) -> None:
    alice.server.key_log.page = 2
    assert alice.follow() == 3
    alice.publish(alice.cast.bob)
    assert alice.follow() == 4
    assert alice.key_log.claim() == KeyLogClaim(4, alice.log.frontier().root)


def test_a_log_in_which_nothing_is_new_costs_one_question(alice: Alice) -> None:
    alice.follow()
    alice.server.key_log.asked.clear()
    alice.follow()
    assert alice.server.key_log.asked == ["/api/key-log/head"]


def test_a_list_that_is_published_while_one_asks_is_taken(alice: Alice) -> None:
    alice.follow()
    second = alice.publish(alice.cast.bob)
    alice.keyring.refresh(alice.cast.bob.user)
    known = alice.keyring.newest(alice.cast.bob.user)
    assert known is not None
    assert known.list_hash == second.list_hash


def test_a_list_that_another_own_device_signed_is_known_after_fetching_it(alice: Alice) -> None:
    alice.follow()
    second = alice.publish(alice.cast.alice)
    assert alice.follow() == 4
    known = alice.keyring.newest(alice.cast.alice.user)
    assert known is not None
    assert known.list_hash == second.list_hash


# A hostile one


def test_a_log_that_was_rolled_back_is_refused(alice: Alice) -> None:
    alice.follow()
    alice.log.leaves.pop()
    alice.is_refused("shorter")


def test_another_history_of_the_same_size_is_refused(alice: Alice) -> None:
    alice.follow()
    alice.log.leaves[1], alice.log.leaves[2] = alice.log.leaves[2], alice.log.leaves[1]
    alice.is_refused("another root")


def test_leaves_in_another_order_than_before_are_refused(alice: Alice) -> None:
    alice.follow()
    for _ in range(2):
        alice.publish(alice.cast.bob)
    alice.log.leaves[3], alice.log.leaves[4] = alice.log.leaves[4], alice.log.leaves[3]
    alice.is_refused("numbered")


def test_leaves_that_are_held_back_are_refused(alice: Alice) -> None:
    alice.follow()
    alice.publish(alice.cast.bob)
    alice.server.key_log.page = 0
    alice.is_refused("holds back")


def test_a_head_that_stands_still_is_refused(alice: Alice) -> None:
    alice.follow()
    with pytest.raises(KeyLogError, match="more than a day"):
        alice.key_log.follow(NOW + FRESH_MS + 1)


def test_alice_sees_a_leaf_for_her_that_she_never_made(alice: Alice) -> None:
    alice.follow()
    alice.log.add(label_of(alice.cast.alice.user), h("devices", b"made by the server"))
    alice.is_refused("own name")


def test_alice_sees_a_list_for_her_under_another_account_key(alice: Alice) -> None:
    """What a server would show to somebody who meets alice for the first time."""
    alice.follow()
    account, false = false_list(alice.cast.alice.user)
    alice.log.add(label_of(account.user), false.list_hash)
    alice.server.keys[account.user] |= {"lists": [list_row(false)]}
    alice.is_refused("own name")


def test_a_withheld_newest_list_is_not_passed_over(alice: Alice) -> None:
    alice.keyring.refresh(alice.cast.bob.user)
    alice.log.add(label_of(alice.cast.bob.user), h("devices", b"withheld"))
    alice.follow()
    with pytest.raises(KeyLogError, match="not the newest"):
        alice.keyring.refresh(alice.cast.bob.user)


def test_a_first_list_that_the_log_does_not_name_is_not_kept(alice: Alice) -> None:
    mallory = world("mallory").mallory
    alice.server.keys[mallory.user] = keys_of(mallory)
    with pytest.raises(KeyLogError, match="not the newest"):
        alice.keyring.refresh(mallory.user)
    assert mallory.user not in alice.keyring.pins()


def test_a_false_first_key_that_is_not_in_the_log_is_not_pinned(alice: Alice) -> None:
    account, false = false_list(alice.cast.bob.user)
    shown = alice.server.keys[account.user]
    shown |= {"account_key": b64(account.public), "lists": [list_row(false)]}
    with pytest.raises(KeyLogError, match="not the newest"):
        alice.keyring.refresh(account.user)
    assert account.user not in alice.keyring.pins()


def test_no_list_is_taken_while_the_log_does_not_verify(alice: Alice) -> None:
    alice.keyring.refresh(alice.cast.bob.user)
    leaf = alice.log.leaves.pop()
    alice.is_refused("shorter")
    with pytest.raises(KeyLogError):
        alice.keyring.refresh(alice.cast.bob.user)
    alice.log.leaves.append(leaf)
    alice.keyring.refresh(alice.cast.bob.user)
    assert alice.key_log.trouble == ""


def test_another_server_s_log_is_refused(alice: Alice) -> None:
    alice.follow()
    alice.server.key_log.logs = [ServerLog(b"s" * 32, leaves=list(alice.log.leaves))]
    alice.is_refused("does not name the log")


# A log that began again


def begin_again(alice: Alice) -> ServerLog:
    """The server was restored from a backup without carol, and its operator did as told."""
    old = alice.log
    backup = ServerLog(old.seed, leaves=old.leaves[:2])
    log = restarted(backup, seed=old.seed)
    log.leaves = list(backup.leaves)
    alice.server.key_log.logs = [old, log]
    return log


def test_a_log_that_began_again_is_taken_and_told_of(alice: Alice) -> None:
    alice.follow()
    begin_again(alice)
    assert alice.follow() == 2
    notice = alice.store.fact("key_log_notice")
    assert (notice["number"], notice["size_seen"], notice["size_named"]) == (2, 3, 2)
    alice.store.remember("key_log_notice", None)
    alice.follow()
    assert alice.store.fact("key_log_notice") is None


def test_what_was_said_of_the_old_log_is_still_compared(alice: Alice) -> None:
    alice.follow()
    begin_again(alice)
    alice.follow()
    assert split_after(alice, KeyLogClaim(3, bytes(32), 1))
    assert not split_after(alice, KeyLogClaim(9, bytes(32), 1), b"n" * 16)
    assert split_after(alice, KeyLogClaim(2, bytes(32), 2), b"o" * 16)
    assert not split_after(alice, KeyLogClaim(2, bytes(32), 3), b"p" * 16)


# What others saw


def split_after(alice: Alice, claim: KeyLogClaim, message: bytes = MESSAGE) -> bool:
    alice.key_log.compare(claim, room=ROOM, message=message)
    return alice.key_log.is_split(ROOM, message)


def test_two_views_of_one_log_show_when_a_message_crosses(alice: Alice) -> None:
    """The server shows alice a log with a false list of bob, and bob the one with his own."""
    honest = KeyLogServer([ServerLog(alice.log.seed, leaves=list(alice.log.leaves[:1]))])
    alice.log.leaves[1:] = []
    alice.log.add(label_of(alice.cast.bob.user), h("devices", b"false"))
    honest.log.add(label_of(alice.cast.bob.user), alice.cast.bob.devices.list_hash)
    alice.follow()
    assert not split_after(alice, KeyLogClaim(1, honest.log.frontier(1).root))
    assert split_after(alice, KeyLogClaim(2, honest.log.frontier(2).root), b"n" * 16)
    (evidence,) = alice.key_log.splits()
    assert evidence["root"] != evidence["own_root"]


@pytest.mark.parametrize(
    ("root_of", "is_split"),
    [(lambda log: log.frontier(4).root, False), (lambda log: bytes(32), True)],
    ids=["the same log", "another log"],
)
def test_what_somebody_saw_of_a_longer_log_is_compared_when_it_is_there(
    alice: Alice, root_of: Callable[[ServerLog], bytes], is_split: bool
) -> None:
    alice.follow()
    alice.publish(alice.cast.bob)
    assert not split_after(alice, KeyLogClaim(4, root_of(alice.log)))
    assert alice.key_log.waiting() == 1
    alice.follow()
    assert alice.key_log.waiting() == 0
    assert alice.key_log.is_split(ROOM, MESSAGE) == is_split


def test_claims_about_a_log_that_is_never_shown_are_bounded(alice: Alice) -> None:
    alice.follow()
    for n in range(MAX_CLAIMS_WAITING + 5):
        split_after(alice, KeyLogClaim(100 + n, bytes(32)), n.to_bytes(16, "big"))
    assert alice.key_log.waiting() == MAX_CLAIMS_WAITING
