"""Vectors of docs/protocol.md §8: headers, envelopes, the order of receiving, commitments."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from crypto_client.body import text_body
from crypto_client.encoding import MESSAGE_BUCKETS, lp, lp_split, pad, u32
from crypto_client.encoding import encode_base64url as b64
from crypto_client.envelope import Pre, acceptance_stamp, parse_envelope, seal_message
from crypto_client.opening import open_message
from crypto_client.ratchet import EpochState, epoch_to_json, unusable_epoch
from crypto_client.vectors.case import Case
from crypto_client.vectors.cast import NOW, World, group, seeded
from crypto_client.vectors.forge import ForgedMessage

BODY = text_body("안녕, garden")
PADDED = pad(BODY, MESSAGE_BUCKETS)


def cases(cast: World) -> Iterator[tuple[str, Case]]:
    """Give every case with its topic."""
    _, received = group(cast, "alice", "bob")
    state = received["bob"].epoch
    if state is None:
        raise ValueError("bob is in the group")
    messages = Messages(cast, state)
    for case in (
        *messages.headers(),
        *messages.names(),
        *messages.contents(),
        *messages.orders(),
        *messages.duplicates(),
    ):
        yield "message", case
    yield from (("report", case) for case in messages.reports())


class Messages:
    """Alice writes, bob reads, in epoch 0 of their group."""

    def __init__(self, cast: World, state: EpochState) -> None:
        self.cast = cast
        self.state = state
        self.alice = cast.alice.keys

    def forge(self, **parts: Any) -> bytes:
        """Make an envelope by alice with parts of one's choice."""
        return ForgedMessage(self.state, self.alice, **{"padded": PADDED, **parts}).make()

    def case(
        self,
        name: str,
        comment: str,
        envelopes: bytes | Sequence[bytes],
        expect: str = "ok",
        **more: Any,
    ) -> Case:
        """Let bob receive envelopes."""
        listed = [envelopes] if isinstance(envelopes, bytes) else envelopes
        state = more.pop("state", self.state)
        given = {
            "epoch": state and epoch_to_json(state),
            "room": b64(self.state.room),
            "revoked": [],
            "cuts": [],
            "envelopes": [b64(envelope) for envelope in listed],
            **more,
        }
        return Case(name, comment, "8.4", "open_message", given, expect)

    def _pre_fields(self) -> list[bytes]:
        return lp_split(parse_envelope(self.forge()).header.pre_data)

    def headers(self) -> Iterator[Case]:
        """Every field of a header has one shape."""
        fields = self._pre_fields()
        names = "label suite room epoch commit-hash user device n msg-id time class expires ids"
        for at, name in enumerate(names.split()):
            if name in ("label", "ids"):
                continue
            longer = [*fields[:at], fields[at] + b"\0", *fields[at + 1 :]]
            shorter = [*fields[:at], fields[at][1:], *fields[at + 1 :]]
            for sign, changed in (("plus", longer), ("minus", shorter)):
                bad = self.forge(pre_data=lp(*changed))
                yield self.case(f"{name}-length-{sign}-1", "another length", bad, "parse")
        label = self.forge(pre_data=lp(b"zzz", *fields[1:]))
        yield self.case("label", "another label", label, "parse")
        for suite in (0, 2, 77, 255):
            bad = self.forge(pre_data=lp(fields[0], bytes([suite]), *fields[2:]))
            yield self.case(f"suite-{suite}", "an unknown suite", bad, "suite")
        more = self.forge(pre_data=lp(*fields, b""))
        yield self.case("field-count-plus-1", "a field more", more, "parse")
        less = self.forge(pre_data=lp(*fields[:-1]))
        yield self.case("field-count-minus-1", "a field less", less, "parse")
        yield self.case("header-extra", "hidden", self.forge(hdr_extra=(b"x",)), "parse")
        yield self.case("trailing-byte", "a byte more", self.forge() + b"\0", "parse")
        silent = self.forge(pre={"message_class": 0})
        yield self.case("class-0", "a silent message", silent)
        yield self.case("class-2", "unknown", self._numbered(10, b"\2"), "parse")
        yield from self._attachments()

    def _numbered(self, at: int, value: bytes) -> bytes:
        fields = self._pre_fields()
        fields[at] = value
        return self.forge(pre_data=lp(*fields))

    def _attachments(self) -> Iterator[Case]:
        ids = tuple(bytes([n]) * 16 for n in range(17))
        many = self.forge(pre={"attachments": ids[:16], "expires_after": 60})
        yield self.case("attachments-16", "as many as allowed", many)
        more = self.forge(pre={"attachments": ids})
        yield self.case("attachments-17", "one too many", more, "parse")
        twice = self.forge(pre={"attachments": (ids[1], ids[1])})
        yield self.case("attachment-twice", "one id twice", twice, "parse")
        short = self._numbered(12, lp(bytes(15)))
        yield self.case("attachment-15", "a short id", short, "parse")

    def names(self) -> Iterator[Case]:
        """Room, epoch, commit, user and device are all compared."""
        good = self.forge()
        yield self.case("text", "a text", good)
        foreign = self.forge(pre={"room": b"q" * 16})
        yield self.case("room-foreign", "another room", foreign, "reference")
        unknown = self.forge(pre={"epoch": 999})
        yield self.case("epoch-unknown", "hold and fetch", unknown, "epoch_gap", state=None)
        other = self.forge(pre={"epoch": 1})
        why = "an epoch that is not its commit's"
        yield self.case("epoch-not-commits", why, other, "epoch_gap")
        forked = self.forge(pre={"commit_hash": bytes(32)})
        yield self.case("commit-hash-unknown", "another branch", forked, "fork")
        bob = self.cast.bob
        as_bob = self.forge(pre={"user": bob.user})
        why = "alice's device under bob's name"
        yield self.case("header-user-not-owner", why, as_bob, "roster")
        absent = self.forge(pre={"device": b"\x09" * 16})
        yield self.case("message-from-device-absent-in-list", "nobody's", absent, "roster")
        device = [b64(self.alice.device)]
        why = "known to be revoked"
        yield self.case("device-revoked", why, good, "roster", revoked=device)
        closed = unusable_epoch(self.state.room, 0, self.state.commit_hash)
        yield self.case("epoch-unusable", "not opened here", good, "epoch_unusable", state=closed)
        cut = [[b64(self.alice.device), 3]]
        at_cut = self.forge(pre={"n": 3})
        yield self.case("message-after-cut", "a dropped device", at_cut, "cut", cuts=cut)
        before = self.forge(pre={"n": 2})
        yield self.case("message-at-cut-minus-1", "before its end", before, cuts=cut)
        last = self.forge(pre={"n": 4095})
        yield self.case("skip-4095", "the last counter, all others skipped", last)
        for n in (4096, 0xFFFFFFFF):
            beyond = self.forge(pre={"n": n}, key_n=0)
            yield self.case(f"n-{n}", "beyond the limit", beyond, "counter")
        future = self.forge(pre={"time": 32_503_680_000_000})
        yield self.case("time-in-the-future", "only a claim", future)

    def contents(self) -> Iterator[Case]:
        """What is inside."""
        flipped = bytearray(self.forge())
        flipped[-1] ^= 1
        yield self.case("bit-flip", "one bit of the tag", bytes(flipped), "aead")
        data = self.forge()
        hdr, _, ciphertext = lp_split(data)
        other_nonce = lp(hdr, bytes(24), ciphertext)
        yield self.case("nonce-other", "another nonce", other_nonce, "aead")
        wrong_key = self.forge(pre={"n": 1}, key_n=2)
        yield self.case("key-of-other-counter", "n is bound", wrong_key, "aead")
        forged = self.forge(signer=self.cast.bob.keys)
        yield self.case("bad-signature", "bob writes as alice", forged, "signature")
        for size in (31, 33):
            fk = self.forge(frank_key=bytes(size))
            yield self.case(f"fk-{size}", "32 bytes exactly", fk, "parse")
        zero = self.forge(committed_key=bytes(31) + b"x")
        yield self.case("bad-commitment-key", "another key", zero, "commitment")
        lying = self.forge(committed=pad(b"{}", MESSAGE_BUCKETS))
        yield self.case("bad-commitment", "another body", lying, "commitment")
        extra = self.forge(inner_extra=(b"x",))
        yield self.case("inner-extra", "hidden", extra, "parse")
        paddings: Mapping[str, bytes] = {
            "pad-nonzero": PADDED[:-1] + b"\1",
            "pad-len-too-big": u32(253) + PADDED[4:],
            "pad-not-smallest": PADDED + bytes(256),
            "pad-not-bucket": PADDED + bytes(1),
        }
        for name, padded in paddings.items():
            yield self.case(name, "one padding only", self.forge(padded=padded), "body")
        nan = pad(b'{"type":"x","n":NaN}', MESSAGE_BUCKETS)
        yield self.case("body-nan", "not a body", self.forge(padded=nan), "body")

    def orders(self) -> Iterator[Case]:
        """Out of order, and garbage that must burn nothing."""
        sealed, state = [], self.state
        for n in range(4):
            one = seal_message(
                state,
                self.alice,
                text_body(f"number {n}"),
                msg_id=bytes([n]) * 16,
                time=NOW,
                random=seeded(f"message {n}"),
            )
            sealed.append(one.envelope)
            state = one.epoch
        mixed = [sealed[n] for n in (2, 0, 3, 1)]
        yield self.case("out-of-order", "all of them open", mixed)
        again = [sealed[0], sealed[0]]
        yield self.case("same-envelope-twice", "known", again)
        behind = open_message(sealed[2], self.state, room=self.state.room).epoch
        late = open_message(sealed[0], behind, room=self.state.room).epoch
        used = self.case("counter-used", "no key is left", sealed[0], "counter", state=late)
        yield used
        damaged = sealed[1][:-1] + bytes([sealed[1][-1] ^ 1])
        burnt = [sealed[2], damaged, sealed[1]]
        yield self.case("garbage-with-skipped-n-then-real", "it opens", burnt)
        far = self.forge(pre={"n": 900}, key_n=3)
        yield self.case("garbage-with-future-n-then-real", "it opens", [far, sealed[0]])
        bad = self.forge(signer=self.cast.bob.keys)
        yield self.case("bad-signature-then-real", "it opens", [bad, sealed[0]])
        lying = self.forge(committed=pad(b"{}", MESSAGE_BUCKETS))
        yield self.case("bad-commitment-then-real", "it opens", [lying, sealed[0]])

    def duplicates(self) -> Iterator[Case]:
        """One id or one counter, twice."""
        msg_id = b"i" * 16
        first = self.forge(pre={"msg_id": msg_id})
        seen = text_body("안녕, garden", seen=(7, bytes(32)), void=((0, 0),))
        second = self.forge(pre={"msg_id": msg_id, "n": 1}, padded=pad(seen, MESSAGE_BUCKETS))
        why = "bodies differ in seen and void only"
        yield self.case("sealed-again", why, [first, second])
        other = pad(text_body("something else"), MESSAGE_BUCKETS)
        two_texts = self.forge(pre={"msg_id": msg_id, "n": 1}, padded=other)
        why = "one id, two texts"
        yield self.case("equivocation-msg-id", why, [first, two_texts], "equivocation")
        same_n = self.forge(pre={"msg_id": b"j" * 16}, padded=other)
        why = "one counter, two messages"
        yield self.case("equivocation-counter", why, [first, same_n], "equivocation")
        bob = ForgedMessage(self.state, self.cast.bob.keys, PADDED, {"msg_id": msg_id}).make()
        why = "an id is unique for a device only"
        yield self.case("same-msgid-other-device", why, [first, bob])

    def reports(self) -> Iterator[Case]:
        """What a report discloses, and the stamp it is checked by."""
        data = self.forge()
        opened = open_message(data, self.state, room=self.state.room).message
        if opened is None:
            raise ValueError("it opens")
        hdr = parse_envelope(data).header.data
        good = {"hdr": hdr, "frank_key": opened.frank_key, "padded": opened.padded}

        def case(name: str, comment: str, expect: str = "commitment", **changed: bytes) -> Case:
            given = {key: b64(value) for key, value in {**good, **changed}.items()}
            return Case(name, comment, "8.2", "commitment", given, expect)

        yield case("commitment", "what was sent", "ok")
        yield case("report-wrong-P", "other words", padded=pad(b"{}", MESSAGE_BUCKETS))
        yield case("report-dirty-padding", "not the committed bytes", padded=PADDED[:-1] + b"\1")
        yield case("report-wrong-fk", "another key", frank_key=bytes(32))
        zero_extended = opened.frank_key + b"\0"
        yield case("report-fk-zero-extended", "33 bytes", frank_key=zero_extended)
        others: dict[str, Any] = {
            "user": self.cast.bob.user,
            "device": self.cast.bob.keys.device,
            "epoch": 5,
            "time": 1,
            "commit_hash": bytes(32),
            "msg_id": b"z" * 16,
            "expires_after": 9,
        }
        for field, value in others.items():
            pre = replace(opened.pre, **{field: value})
            changed = lp(pre.encode(), opened.commitment)
            name = "report-other-" + field.replace("_", "-")
            yield case(name, "the commitment covers all of pre", hdr=changed)
        yield from _stamps(hdr, opened.pre, opened.commitment)
        yield from _reports(good)


def _reports(good: Mapping[str, bytes]) -> Iterator[Case]:
    key = bytes(range(32))
    stamp = acceptance_stamp(key, 1, good["hdr"], NOW)

    def case(name: str, comment: str, expect: str = "report", **changed: Any) -> Case:
        parts = {**good, "stamp": stamp, "key_id": 1, "accepted_ms": NOW, **changed}
        given = {name: b64(v) if isinstance(v, bytes) else v for name, v in parts.items()}
        keys = [[1, b64(key)], [2, b64(bytes(32))]]
        return Case(name, comment, "8.5", "report", {**given, "stamp_keys": keys}, expect)

    yield case("report", "stamped and committed", "ok")
    why = "anybody can make up a header and a fitting commitment"
    yield case("report-without-stamp", why, stamp=b"")
    yield case("report-stamp-31", "cut short", stamp=stamp[:-1])
    yield case("report-unknown-key", "no key of this server", key_id=3)
    yield case("report-under-other-key", "another key of this server", key_id=2)
    yield case("report-at-other-time", "the time is stamped too", accepted_ms=NOW + 1)
    other = pad(b"{}", MESSAGE_BUCKETS)
    yield case("report-stamped-with-other-words", "stamp first, then C", "commitment", padded=other)


def _stamps(hdr: bytes, pre: Pre, commitment: bytes) -> Iterator[Case]:
    other = lp(replace(pre, msg_id=b"y" * 16).encode(), commitment)
    rows = (
        ("stamp", hdr, 1, NOW),
        ("stamp-other-key-id", hdr, 2, NOW),
        ("report-stamp-other-time", hdr, 1, NOW + 1),
        ("report-stamp-other-header", other, 1, NOW),
    )
    for name, header, key_id, accepted_ms in rows:
        given = {
            "key": b64(bytes(range(32))),
            "key_id": key_id,
            "hdr": b64(header),
            "accepted_ms": accepted_ms,
        }
        comment = "each input changes it"
        yield Case(name, comment, "8.5", "stamp", given)
