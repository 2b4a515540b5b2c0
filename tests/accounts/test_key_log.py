"""The server's key log, judged by the client's own code: every list has its leaf, and stays."""

import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from accounts import key_log
from accounts.models import DeviceList, KeyLog, KeyLogLeaf
from accounts.protocol import from_base64url
from accounts.signed_objects import parse_device_list
from crypto_client.device_list import next_device_list
from crypto_client.errors import KeyLogError
from crypto_client.key_log import (
    FRESH_MS,
    Own,
    SignedHead,
    SignedLogStart,
    follow,
    label_of,
    newest_log,
    parse_head,
    pin_log,
    verify_head,
)
from tests.cast import Person, id_of, keys_of, make_cast, user_row

NOT_OWN = Own(b"", lambda _: False)


def starts_of(answer):
    rows = answer["logs"]
    return [SignedLogStart(from_base64url(r["log"]), from_base64url(r["log_sig"])) for r in rows]


def head_of(answer):
    return SignedHead(from_base64url(answer["head"]), from_base64url(answer["head_sig"]))


class Reader:
    """Follows the log as a client does."""

    def __init__(self, person):
        self.person = person
        self.labels = {}
        self.log = pin_log(starts_of(self.head()))

    def head(self):
        return self.person.get("/api/key-log/head").json()

    def follow(self):
        more = True
        while more:
            page = self.person.get(f"/api/key-log?after={self.log.frontier.size}").json()
            leaves = [from_base64url(leaf) for leaf in page["leaves"]]
            head = head_of(page)
            took = follow(self.log, leaves, head, newest=self.labels.get, own=NOT_OWN)
            self.log, more = took.log, page["more"]
            self.labels.update(took.labels)
        return self.log.frontier.size

    def newest(self, name):
        return self.labels[label_of(id_of(name).bytes)]


@pytest.fixture
def reader(cast):
    return Reader(cast.alice)


def second_list(person):
    keys = person.keys
    listed = next_device_list(keys.account, keys.device_list, [keys.device.entry()], time=1)
    with transaction.atomic():
        parsed = parse_device_list(listed.data)
        key_log.keep_list(person.user, parsed, body=listed.data, sig=listed.sig)
    return listed.list_hash


def run(*words):
    said = io.StringIO()
    call_command("key_log", *words, stdout=said)
    return said.getvalue()


def troubles():
    said = io.StringIO()
    with pytest.raises(CommandError):
        call_command("key_log", "verify", stdout=said)
    return said.getvalue()


def test_a_client_that_follows_finds_everybodys_newest_list(reader, cast):
    assert reader.follow() == 6

    assert {reader.newest(person.name).record_hash for person in cast} == {
        person.keys.device_list.list_hash for person in cast
    }


def test_enrolment_writes_the_leaf_of_the_first_list(reader, newcomer):
    reader.follow()
    assert newcomer.post("/api/me/keys", newcomer.keys.enrolment()).status_code == 201

    assert reader.follow() == 7
    assert reader.newest("newcomer").record_hash == newcomer.keys.device_list.list_hash


def test_a_later_list_follows_the_label_s_newest_leaf(reader, bob):
    reader.follow()
    list_hash = second_list(bob)

    assert reader.follow() == 7
    assert (reader.newest("bob").seq, reader.newest("bob").record_hash) == (2, list_hash)


def test_a_transaction_that_is_rolled_back_leaves_neither_list_nor_leaf(reader, bob):
    before = reader.follow()
    with transaction.atomic():
        second_list(bob)
        transaction.set_rollback(True)

    assert DeviceList.objects.filter(user=bob.user).count() == 1
    assert reader.follow() == before
    second_list(bob)
    assert reader.follow() == before + 1


def test_each_page_ends_at_a_head_of_its_own(reader, monkeypatch):
    monkeypatch.setattr(key_log, "PAGE", 2)
    sizes = []
    for after in (0, 2, 4):
        page = reader.person.get(f"/api/key-log?after={after}").json()
        sizes.append((len(page["leaves"]), parse_head(head_of(page).data).size, page["more"]))

    assert sizes == [(2, 2, True), (2, 4, True), (2, 6, False)]
    assert reader.follow() == 6


def test_who_asks_behind_the_end_is_told_where_it_is(reader):
    page = reader.person.get("/api/key-log?after=999").json()

    assert (page["leaves"], page["more"]) == ([], False)
    assert verify_head(head_of(page), reader.log).size == 6


@pytest.mark.parametrize("after", ["-1", "x", "9007199254740992"])
def test_an_index_that_is_none_is_refused(alice, after):
    assert alice.get(f"/api/key-log?after={after}").json()["code"] == "invalid"


def test_everybody_is_shown_one_log(cast):
    seen = {person.get("/api/key-log").content for person in cast}
    assert len(seen) == 1


def test_the_log_names_nobody(reader, cast):
    told = reader.person.get("/api/key-log").content
    bytes_told = b"".join(bytes(row.body) for row in KeyLogLeaf.objects.all())

    assert reader.follow() == 6
    for person in cast:
        assert str(person.id).encode() not in told
        assert person.id.bytes not in bytes_told


def test_a_head_is_signed_again_before_it_is_old(reader, monkeypatch):
    first = head_of(reader.head())
    assert head_of(reader.head()) == first

    later = time.time_ns() + FRESH_MS * 1_000_000
    monkeypatch.setattr("accounts.key_log.time.time_ns", lambda: later)
    cache.clear()

    head = verify_head(head_of(reader.head()), reader.log)
    assert head.time - parse_head(first.data).time >= FRESH_MS - 60_000
    assert (head.size, head.root) == (6, parse_head(first.data).root)


def test_a_former_secret_key_still_signs_its_log(reader, settings):
    cache.clear()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another" * 8
    alice = Reader.head(reader)

    assert verify_head(head_of(alice), reader.log).size == 6


def test_without_its_key_the_log_says_that_it_is_unavailable(reader, settings):
    cache.clear()
    settings.SECRET_KEY = "another" * 8
    reader.person.client.force_login(reader.person.user)

    answer = reader.person.get("/api/key-log/head")

    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert "SECRET_KEY_FALLBACKS" in troubles()


# The operator


def test_verify_finds_a_whole_log_whole(reader, bob):
    second_list(bob)
    assert run("verify") == "ok  1 log(s), 7 leaves, 7 device lists\n"


def test_verify_keeps_the_leaves_of_who_has_gone(reader, mallory):
    mallory.user.delete()
    assert run("verify") == "ok  1 log(s), 6 leaves, 5 device lists\n"


def damage_leaf(reader):
    row = KeyLogLeaf.objects.get(index=2)
    row.body = bytes(row.body)[:-1] + b"\1"
    row.save()


DAMAGES = {
    "does not follow": damage_leaf,
    "leaf 3 is missing": lambda reader: KeyLogLeaf.objects.filter(index=3).delete(),
    "its size or frontier": lambda reader: KeyLog.objects.update(size=5),
    "has no leaf": lambda reader: DeviceList.objects.create(
        user=reader.person.user, version=2, body=b"", sig=b"", list_hash=bytes(32)
    ),
    "has no list": lambda reader: DeviceList.objects.filter(user=reader.person.user).delete(),
    "its beginning": lambda reader: KeyLog.objects.update(sig=bytes(64)),
    "is not what its row says": lambda reader: KeyLogLeaf.objects.filter(index=1).update(seq=9),
    "cannot be read": lambda reader: KeyLogLeaf.objects.filter(index=1).update(body=b"leaf"),
}


@pytest.mark.parametrize("trouble", DAMAGES)
def test_verify_says_what_is_damaged(reader, trouble):
    assert run("verify")
    DAMAGES[trouble](reader)

    assert trouble in troubles()


def test_a_restarted_log_leads_on_from_the_one_before(reader, bob):
    second_list(bob)
    reader.follow()
    assert run("restart") == "ok  log 2 begins with 7 device lists\n"

    following = newest_log(reader.log, starts_of(reader.head()))

    assert (following.number, following.frontier.size) == (2, 0)
    reader.log, reader.labels = following, {}
    assert reader.follow() == 7
    assert reader.newest("bob").seq == 2
    assert run("verify") == "ok  2 log(s), 14 leaves, 7 device lists\n"


def test_a_log_restarted_with_another_secret_key_is_signed_by_the_former_one(reader, settings):
    cache.clear()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another" * 8
    run("restart")
    settings.SECRET_KEY_FALLBACKS = []
    reader.person.client.force_login(reader.person.user)

    following = newest_log(reader.log, starts_of(reader.head()))

    assert following.log_pub != reader.log.log_pub
    reader.log = following
    assert reader.follow() == 6


def test_a_log_whose_key_is_gone_has_no_successor(reader, settings):
    cache.clear()
    settings.SECRET_KEY = "another" * 8
    reader.person.client.force_login(reader.person.user)
    with pytest.raises(CommandError, match="SECRET_KEY_FALLBACKS"):
        run("restart")
    assert KeyLog.objects.count() == 1

    run("restart", "--with-new-key")

    starts = starts_of(reader.head())
    with pytest.raises(KeyLogError):
        newest_log(reader.log, starts)
    assert pin_log(starts).number == 1
    assert run("verify") == "ok  1 log(s), 6 leaves, 6 device lists\n"


def test_lists_kept_before_there_was_a_log_are_in_it(cast):
    assert not KeyLog.objects.exists()
    assert Reader(cast.bob).follow() == 6


# At once

NAMES = [f"newcomer-{number}" for number in range(6)]


@pytest.fixture
def newcomers(transactional_db):
    """Six who have signed up, in rows that other threads can see."""
    make_cast()
    people = []
    for name in NAMES:
        user = user_row(name)
        user.save()
        people.append(Person(name, user))
        people[-1].client.force_login(user)
        keys_of(name)
    return people


def test_people_who_enrol_at_once_get_one_leaf_each_and_leave_no_hole(newcomers):
    start = threading.Barrier(len(newcomers))

    def enrol(person):
        start.wait(timeout=10)
        try:
            return person.post("/api/me/keys", person.keys.enrolment()).status_code
        finally:
            connection.close()

    key_log.newest_log()
    with ThreadPoolExecutor(len(newcomers)) as pool:
        assert set(pool.map(enrol, newcomers)) == {201}

    rows = KeyLogLeaf.objects.order_by("index")
    assert [row.index for row in rows] == list(range(12))
    assert run("verify") == "ok  1 log(s), 12 leaves, 12 device lists\n"


def test_the_first_ask_begins_the_log_once(newcomers):
    start = threading.Barrier(2)

    def ask(person):
        start.wait(timeout=10)
        try:
            return person.get("/api/key-log/head").json()["logs"][0]["log"]
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert len(set(pool.map(ask, newcomers[:2]))) == 1
    assert KeyLog.objects.count() == 1
