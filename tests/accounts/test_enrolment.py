"""Enrolment: what a new account's client brings is checked as a whole, and kept as a whole."""

from dataclasses import replace

import pytest

from accounts.models import AccountKey, Device, DeviceList, Prekey
from accounts.protocol import to_base64url
from accounts.services import now_ms
from crypto_client.device_list import first_device_list, next_device_list
from crypto_client.identity import new_account, new_device
from crypto_client.prekeys import LIFETIME_MS, parse_prekey, sign_prekey
from crypto_client.primitives import h, sign
from crypto_client.recovery import backup_public, seal_recovery
from tests.cast import keys_of

DAY_MS = 24 * 3600 * 1000


def enrol(person, **changed):
    return person.post("/api/me/keys", {**person.keys.enrolment(), **changed})


def nothing_is_kept():
    return not any(kind.objects.exists() for kind in (AccountKey, DeviceList, Device, Prekey))


def b64(data):
    return to_base64url(data)


def test_enrolment_keeps_key_list_device_prekey_and_blob(newcomer):
    answer = enrol(newcomer)

    assert answer.status_code == 201
    assert answer.json()["account_key"] == b64(newcomer.keys.account.public)
    assert (answer.json()["list_version"], answer.json()["recovery_version"]) == (1, 1)
    assert Device.objects.get().id == newcomer.device_id
    assert bytes(DeviceList.objects.get().list_hash) == newcomer.keys.device_list.list_hash
    assert bytes(Prekey.objects.get().prekey_hash) == newcomer.keys.prekey.prekey_hash


def test_an_account_is_enrolled_once(newcomer):
    assert enrol(newcomer).status_code == 201

    again = enrol(newcomer)

    assert (again.status_code, again.json()["code"]) == (409, "keys_exist")


def test_the_sealed_blob_comes_back_as_it_was_given(newcomer):
    enrol(newcomer)

    blob = newcomer.get("/api/me/recovery").json()

    assert blob["recovery_blob"] == b64(newcomer.keys.recovery.data)
    assert blob["recovery_sig"] == b64(newcomer.keys.recovery.sig)


def test_there_is_no_blob_before_enrolment(newcomer):
    answer = newcomer.get("/api/me/recovery")
    assert (answer.status_code, answer.json()["code"]) == (409, "keys_missing")


@pytest.mark.parametrize("member", sorted(keys_of("alice").enrolment()))
def test_every_member_is_needed(newcomer, member):
    body = newcomer.keys.enrolment()
    del body[member]

    answer = newcomer.post("/api/me/keys", body)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert list(answer.json()["fields"]) == [member]
    assert nothing_is_kept()


@pytest.mark.parametrize("member", sorted(keys_of("alice").enrolment()))
def test_a_member_of_another_account_is_refused(newcomer, member):
    answer = enrol(newcomer, **{member: keys_of("mallory").enrolment()[member]})

    assert answer.status_code == 400
    assert answer.json()["code"] in {"invalid", "prekey"}
    assert nothing_is_kept()


@pytest.mark.parametrize("member", ["device_list", "prekey", "recovery_blob"])
@pytest.mark.parametrize("end", [b"", b"\x00", b"\x00\x00\x00\x00"])
def test_an_object_with_other_bytes_at_its_end_is_refused(newcomer, member, end):
    keys = newcomer.keys
    data = {"device_list": keys.device_list, "prekey": keys.prekey, "recovery_blob": keys.recovery}
    body = data[member].data
    answer = enrol(newcomer, **{member: b64(body + end if end else body[:-1])})

    assert answer.status_code == 400
    assert nothing_is_kept()


def test_an_account_key_of_small_order_is_refused(newcomer):
    answer = enrol(newcomer, account_key=b64(b"\x01" + bytes(31)))
    assert list(answer.json()["fields"]) == ["account_key"]


def test_a_list_with_two_devices_is_no_first_list(newcomer):
    keys = newcomer.keys
    second = new_device(newcomer.id.bytes, keys.account.public, now_ms())
    bk_pub = backup_public(keys.recovery_key, newcomer.id.bytes, 1)
    entries = [keys.device.entry(), second.entry()]
    two = first_device_list(keys.account, entries, time=now_ms(), bk_pub=bk_pub)

    answer = enrol(newcomer, device_list=b64(two.data), list_sig=b64(two.sig))

    assert list(answer.json()["fields"]) == ["device_list"]


def test_a_second_version_is_no_first_list(newcomer):
    keys = newcomer.keys
    later = next_device_list(keys.account, keys.device_list, [keys.device.entry()], time=now_ms())

    answer = enrol(newcomer, device_list=b64(later.data), list_sig=b64(later.sig))

    assert list(answer.json()["fields"]) == ["device_list"]


def test_a_device_that_did_not_agree_is_refused(newcomer):
    keys = newcomer.keys
    entry = replace(keys.device.entry(), accept=bytes(64))
    bk_pub = backup_public(keys.recovery_key, newcomer.id.bytes, 1)
    forced = first_device_list(keys.account, [entry], time=now_ms(), bk_pub=bk_pub)

    answer = enrol(newcomer, device_list=b64(forced.data), list_sig=b64(forced.sig))

    assert list(answer.json()["fields"]) == ["list_sig"]
    assert nothing_is_kept()


def test_a_device_id_that_is_not_the_keys_own_is_refused(newcomer):
    keys = newcomer.keys
    entry = replace(keys.device.entry(), device=bytes(16))
    bk_pub = backup_public(keys.recovery_key, newcomer.id.bytes, 1)
    chosen = first_device_list(keys.account, [entry], time=now_ms(), bk_pub=bk_pub)

    answer = enrol(newcomer, device_list=b64(chosen.data), list_sig=b64(chosen.sig))

    assert list(answer.json()["fields"]) == ["list_sig"]


def test_a_blob_whose_backup_key_is_not_the_lists_is_refused(newcomer):
    keys = newcomer.keys
    other = seal_recovery(keys.account, bytes(32), "baba", version=1, ops=3, mem=2**26)

    answer = enrol(newcomer, recovery_blob=b64(other.data), recovery_sig=b64(other.sig))

    assert list(answer.json()["fields"]) == ["recovery_blob"]


def signed_prekey(keys, **changed):
    content = replace(parse_prekey(keys.prekey.data), **changed)
    signed = sign_prekey(keys.device, content)
    return {"prekey": b64(signed.data), "prekey_sig": b64(signed.sig)}


PREKEYS = {
    "kind": {"kind": 2},
    "seq": {"seq": 0},
    "another user": {"user": bytes(16)},
    "another device": {"device": bytes(16)},
    "ends before it begins": {"expires": 1},
    "lives too long": {"created": 0, "expires": LIFETIME_MS + 1},
    "has expired": {"created": 1, "expires": 2},
}


@pytest.mark.parametrize("changed", PREKEYS.values(), ids=list(PREKEYS))
def test_a_prekey_that_no_client_could_use_is_refused(newcomer, changed):
    answer = enrol(newcomer, **signed_prekey(newcomer.keys, **changed))

    assert (answer.status_code, answer.json()["code"]) == (400, "prekey")
    assert nothing_is_kept()


def test_a_prekey_from_the_future_is_refused(newcomer):
    created = now_ms() + 2 * DAY_MS
    body = signed_prekey(newcomer.keys, created=created, expires=created + LIFETIME_MS)
    assert enrol(newcomer, **body).json()["code"] == "prekey"


@pytest.mark.parametrize("half", ["small order", "out of range"])
def test_a_prekey_that_fails_trial_encapsulation_is_refused(newcomer, half):
    public = parse_prekey(newcomer.keys.prekey.data).public
    broken = public[:1184] + bytes(32) if half == "small order" else b"\xff" * 1184 + public[1184:]
    assert enrol(newcomer, **signed_prekey(newcomer.keys, public=broken)).json()["code"] == "prekey"


def test_a_prekey_signed_by_another_device_is_refused(newcomer):
    stranger = new_device(newcomer.id.bytes, newcomer.keys.account.public, now_ms())
    signature = stranger.sign("prekey", newcomer.keys.prekey.prekey_hash)
    assert enrol(newcomer, prekey_sig=b64(signature)).json()["code"] == "prekey"


def test_a_list_signed_by_another_account_is_refused(newcomer):
    signature = sign(new_account(bytes(16)).seed, "devices", newcomer.keys.device_list.list_hash)
    assert list(enrol(newcomer, list_sig=b64(signature)).json()["fields"]) == ["list_sig"]


def test_a_blob_signed_by_another_account_is_refused(newcomer):
    signed = h("recovery", newcomer.keys.recovery.data)
    signature = sign(new_account(bytes(16)).seed, "recovery", signed)
    assert list(enrol(newcomer, recovery_sig=b64(signature)).json()["fields"]) == ["recovery_sig"]


def test_an_unknown_member_is_refused(newcomer):
    answer = enrol(newcomer, extra=1)
    assert answer.json()["fields"] == {"extra": ["Unknown member."]}
    assert nothing_is_kept()


@pytest.mark.parametrize("text", ["AA==", "A", "-\n-", "AAAA", 7, None, "Aé"])
def test_bytes_that_are_not_canonical_or_of_the_right_size_are_refused(newcomer, text):
    answer = enrol(newcomer, account_key=text)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert list(answer.json()["fields"]) == ["account_key"]
