"""HRK/1 in Python: everything that touches readable words or private keys (docs/protocol.md).

Pure functions over frozen values: (state, input) gives (next state, output), and the caller stores
both in one transaction. No network, no storage, no Django. Every refusal is a ``ProtocolError``
with one ``outcome``. An example, from key to opened message:

>>> import os
>>> from crypto_client import *
>>> def sign_up():
...     account = new_account(os.urandom(16))
...     keys = new_device(account.user, account.public, created=1_760_000_000_000)
...     bk_pub = backup_public(os.urandom(32), account.user, 1)
...     devices = first_device_list(account, [keys.entry()], time=keys.created, bk_pub=bk_pub)
...     seed, prekey = new_prekey(keys, seq=1, created=keys.created)
...     return keys, devices, seed, prekey
>>> alice, alice_list, alice_seed, alice_prekey = sign_up()
>>> bob, bob_list, bob_seed, bob_prekey = sign_up()
>>> lists = {signed.list_hash: signed for signed in (alice_list, bob_list)}
>>> prekeys = {alice.device: alice_prekey, bob.device: bob_prekey}
>>> by = Committer(alice, lists, prekeys, now=1_760_000_000_000)
>>> commit = create_group(by, [alice_list, bob_list], title="garden")
>>> room = parse_core(commit.core).room
>>> trust = Trust(lists, pins={alice.user: alice.amk_pub, bob.user: bob.amk_pub})
>>> hers = receive_commit(None, commit, room=room, trust=trust, source=PrekeySource(
...     alice.user, alice.device, {alice_prekey.prekey_hash: alice_seed}))
>>> his = receive_commit(None, commit, room=room, trust=trust, source=PrekeySource(
...     bob.user, bob.device, {bob_prekey.prekey_hash: bob_seed}))
>>> sealed = seal_message(hers.epoch, alice, text_body("hello"), msg_id=os.urandom(16), time=0)
>>> open_message(sealed.envelope, his.epoch, room=room).message.body.text
'hello'
"""

from crypto_client.account_statements import (
    DeviceWord,
    SeenList,
    check_automatic_refresh,
    check_dispute,
    check_erase,
    check_suspend,
    check_veto,
    make_dispute,
    make_erase,
    make_suspend,
    make_veto,
)
from crypto_client.attachments import Attachment, files_of, read_files
from crypto_client.body import Body, KeyLogClaim, Reference, parse_body, text_body, write_body
from crypto_client.commit import (
    ClearState,
    Commit,
    Core,
    EpochSource,
    HistorySource,
    PrekeySource,
    parse_core,
    prekey_floors,
)
from crypto_client.committing import (
    Committer,
    commit_add,
    commit_refresh,
    commit_remove,
    commit_role,
    commit_rotation,
    commit_title,
    create_direct,
    create_group,
    make_commit,
    member_row,
)
from crypto_client.device_list import (
    DeviceList,
    KnownList,
    SignedDeviceList,
    accept_device_list,
    first_device_list,
    list_with,
    list_without,
    next_device_list,
    parse_device_list,
    verify_device_list,
    walk_own_lists,
)
from crypto_client.encoding import decode_base64url, encode_base64url
from crypto_client.envelope import (
    Envelope,
    Header,
    Sealed,
    check_commitment,
    parse_envelope,
    parse_header,
    seal_message,
)
from crypto_client.epoch import (
    RoomView,
    Trust,
    may_seal,
    settle,
    users_to_refresh,
    view_from_json,
    view_to_json,
)
from crypto_client.errors import OUTCOMES, ProtocolError
from crypto_client.file_seal import FileChecker, FileOpener, FileSeal, FileSealer, open_file
from crypto_client.history import (
    EpochName,
    HistoryRecord,
    HistoryWriter,
    history_writer,
    open_history,
)
from crypto_client.identity import AccountKey, DeviceKeys, device_proof, new_account, new_device
from crypto_client.joining import Invite, join_by_invite, make_invite
from crypto_client.key_log import (
    FollowedLog,
    Frontier,
    NewestLeaf,
    Own,
    SignedHead,
    SignedLogStart,
    check_claim,
    check_fresh,
    check_newest_list,
    follow,
    label_of,
    newest_log,
    pin_log,
)
from crypto_client.linking import (
    Answered,
    Asking,
    GaveUp,
    Linked,
    Pin,
    Waiting,
    answer_code,
    begin_link,
    finish_link,
    scan_code,
)
from crypto_client.log_hash import LOG_START, check_log_hash, check_void, event_hash, next_log_hash
from crypto_client.opening import Known, Message, MessageIndex, Opened, open_message
from crypto_client.prekeys import SignedPrekey, new_prekey, verify_prekey
from crypto_client.profiles import (
    KnownProfile,
    Profile,
    SignedProfile,
    accept_profile,
    make_profile,
)
from crypto_client.ratchet import (
    EpochState,
    close_epoch,
    epoch_from_json,
    epoch_to_json,
    should_rotate,
    skip_to,
)
from crypto_client.receiving import Received, follow_chain, receive_commit
from crypto_client.recovery import (
    Recovered,
    SignedBlob,
    backup_public,
    decode_code,
    encode_code,
    generate_words,
    open_recovery,
    seal_recovery,
)
from crypto_client.references import (
    Author,
    Target,
    deletion_of,
    edit_of,
    hiding_of,
    judge_reference,
    judge_reply,
    reaction_to,
    why_gone,
)
from crypto_client.restoring import (
    Link,
    OwnAccount,
    OwnHistory,
    Past,
    Restored,
    reopen_past,
    restore_account,
)
from crypto_client.rollback import HeadVerdict, judge_head
from crypto_client.roster import (
    Member,
    Origin,
    direct_origin,
    find_member,
    group_origin,
    parse_origin,
)
from crypto_client.safety import fingerprint, safety_number
from crypto_client.slips import MistypedError, Typed, read_typed
from crypto_client.statements import Statement, Subject, make_leave, make_remove_intent
from crypto_client.succession import (
    SignedReset,
    Succession,
    judge_succession,
    make_reset,
    make_succession,
    reset_state,
    verify_reset,
)

__all__ = [
    "LOG_START",
    "OUTCOMES",
    "AccountKey",
    "Answered",
    "Asking",
    "Attachment",
    "Author",
    "Body",
    "ClearState",
    "Commit",
    "Committer",
    "Core",
    "DeviceKeys",
    "DeviceList",
    "DeviceWord",
    "Envelope",
    "EpochName",
    "EpochSource",
    "EpochState",
    "FileChecker",
    "FileOpener",
    "FileSeal",
    "FileSealer",
    "FollowedLog",
    "Frontier",
    "GaveUp",
    "HeadVerdict",
    "Header",
    "HistoryRecord",
    "HistorySource",
    "HistoryWriter",
    "Invite",
    "KeyLogClaim",
    "Known",
    "KnownList",
    "KnownProfile",
    "Link",
    "Linked",
    "Member",
    "Message",
    "MessageIndex",
    "MistypedError",
    "NewestLeaf",
    "Opened",
    "Origin",
    "Own",
    "OwnAccount",
    "OwnHistory",
    "Past",
    "Pin",
    "PrekeySource",
    "Profile",
    "ProtocolError",
    "Received",
    "Recovered",
    "Reference",
    "Restored",
    "RoomView",
    "Sealed",
    "SeenList",
    "SignedBlob",
    "SignedDeviceList",
    "SignedHead",
    "SignedLogStart",
    "SignedPrekey",
    "SignedProfile",
    "SignedReset",
    "Statement",
    "Subject",
    "Succession",
    "Target",
    "Trust",
    "Typed",
    "Waiting",
    "accept_device_list",
    "accept_profile",
    "answer_code",
    "backup_public",
    "begin_link",
    "check_automatic_refresh",
    "check_claim",
    "check_commitment",
    "check_dispute",
    "check_erase",
    "check_fresh",
    "check_log_hash",
    "check_newest_list",
    "check_suspend",
    "check_veto",
    "check_void",
    "close_epoch",
    "commit_add",
    "commit_refresh",
    "commit_remove",
    "commit_role",
    "commit_rotation",
    "commit_title",
    "create_direct",
    "create_group",
    "decode_base64url",
    "decode_code",
    "deletion_of",
    "device_proof",
    "direct_origin",
    "edit_of",
    "encode_base64url",
    "encode_code",
    "epoch_from_json",
    "epoch_to_json",
    "event_hash",
    "files_of",
    "find_member",
    "fingerprint",
    "finish_link",
    "first_device_list",
    "follow",
    "follow_chain",
    "generate_words",
    "group_origin",
    "hiding_of",
    "history_writer",
    "join_by_invite",
    "judge_head",
    "judge_reference",
    "judge_reply",
    "judge_succession",
    "label_of",
    "list_with",
    "list_without",
    "make_commit",
    "make_dispute",
    "make_erase",
    "make_invite",
    "make_leave",
    "make_profile",
    "make_remove_intent",
    "make_reset",
    "make_succession",
    "make_suspend",
    "make_veto",
    "may_seal",
    "member_row",
    "new_account",
    "new_device",
    "new_prekey",
    "newest_log",
    "next_device_list",
    "next_log_hash",
    "open_file",
    "open_history",
    "open_message",
    "open_recovery",
    "parse_body",
    "parse_core",
    "parse_device_list",
    "parse_envelope",
    "parse_header",
    "parse_origin",
    "pin_log",
    "prekey_floors",
    "reaction_to",
    "read_files",
    "read_typed",
    "receive_commit",
    "reopen_past",
    "reset_state",
    "restore_account",
    "safety_number",
    "scan_code",
    "seal_message",
    "seal_recovery",
    "settle",
    "should_rotate",
    "skip_to",
    "text_body",
    "users_to_refresh",
    "verify_device_list",
    "verify_prekey",
    "verify_reset",
    "view_from_json",
    "view_to_json",
    "walk_own_lists",
    "why_gone",
    "write_body",
]
