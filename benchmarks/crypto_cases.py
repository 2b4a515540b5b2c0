"""What the client's cryptography costs in Python."""

import os
import time

from benchmarks.results import Result, percentiles, timed
from crypto_client.body import text_body
from crypto_client.commit import PrekeySource, parse_core
from crypto_client.committing import Committer, create_group
from crypto_client.device_list import first_device_list
from crypto_client.envelope import seal_message
from crypto_client.epoch import Trust
from crypto_client.identity import new_account, new_device
from crypto_client.opening import open_message
from crypto_client.prekeys import new_prekey
from crypto_client.receiving import receive_commit
from crypto_client.recovery import backup_public, generate_words, seal_recovery

TEXT = "x" * 200
STACK = "python"


def sign_up_keys() -> list[Result]:
    """Everything that sign-up makes, and apart from it what protects the recovery words."""

    def make_keys() -> None:
        user, now = os.urandom(16), time.time_ns() // 1_000_000
        account = new_account(user)
        device = new_device(user, account.public, now)
        backup = backup_public(os.urandom(32), user, 1)
        first_device_list(account, [device.entry()], time=now, bk_pub=backup)
        new_prekey(device, seq=1, created=now)

    def seal_the_recovery() -> None:
        account = new_account(os.urandom(16))
        seal_recovery(account, os.urandom(32), generate_words(), version=1)

    return [
        *percentiles("sign_up_keys", STACK, "keys, list and prekey", timed(make_keys, 50)),
        *percentiles("sign_up_keys", STACK, "recovery (Argon2id)", timed(seal_the_recovery, 5)),
    ]


def seal_and_open() -> list[Result]:
    """A text of 200 bytes, sealed and opened by the epoch's own device."""
    user, now = os.urandom(16), time.time_ns() // 1_000_000
    account = new_account(user)
    device = new_device(user, account.public, now)
    devices = first_device_list(account, [device.entry()], time=now, bk_pub=bytes(1216))
    seed, prekey = new_prekey(device, seq=1, created=now)
    lists = {devices.list_hash: devices}
    by = Committer(
        keys=device,
        lists=lists,
        prekeys={device.device: prekey},
        now=now,
        seq_floor={},
        closing=None,
    )
    commit = create_group(by, [devices], title="bench")
    room = parse_core(commit.core).room
    source = PrekeySource(user, device.device, {prekey.prekey_hash: seed})
    epoch = receive_commit(None, commit, room=room, trust=Trust(lists, {}), source=source).epoch
    assert epoch is not None
    body = text_body(TEXT)
    seals, opens = [], []
    for _ in range(500):
        began = time.perf_counter()
        sealed = seal_message(epoch, device, body, msg_id=os.urandom(16), time=now)
        between = time.perf_counter()
        opened = open_message(sealed.envelope, epoch, room=room)
        opens.append(time.perf_counter() - between)
        seals.append(between - began)
        assert opened.message is not None
        epoch = sealed.epoch
    return [
        *percentiles("seal_and_open", STACK, "seal 200 bytes", seals),
        *percentiles("seal_and_open", STACK, "open 200 bytes", opens),
    ]
