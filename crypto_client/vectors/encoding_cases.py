"""Vectors of docs/protocol.md §1 and §2."""

import json
from collections.abc import Iterator
from typing import Any

import nacl.bindings as sodium

import crypto_client.primitives as prim
from crypto_client.encoding import MESSAGE_BUCKETS, TITLE_BUCKETS, lp, pad, u32
from crypto_client.encoding import encode_base64url as b64
from crypto_client.vectors.case import Case
from crypto_client.vectors.published import AEAD, ED25519, HMAC, XWING

_ORDER = (1 << 252) + 27742317777372353535851937790883648493
# Every label that something is signed under, the first of them a commit's.
SIGNED_LABELS = (
    *("commit", "device-accept", "devices", "prekey", "auth", "leave", "remove-intent"),
    *("server-remove", "invite", "msg", "history", "recovery", "suspend", "dispute", "veto"),
    *("erase", "reset", "succeed", "succeed-device", "profile", "log", "head"),
)
_SMALL_ORDER = (
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
)


def cases() -> Iterator[tuple[str, Case]]:
    """Give every case with its topic."""
    for topic, group in (
        ("lp", _lp()),
        ("base64url", _base64url()),
        ("json", _json()),
        ("padding", _padding()),
        ("primitives", _primitives()),
        ("signatures", _signatures()),
    ):
        yield from ((topic, case) for case in group)


def _lp() -> Iterator[Case]:
    def case(name: str, comment: str, data: bytes, sizes: Any, expect: str = "ok") -> Case:
        given = {"data": b64(data), "sizes": sizes}
        return Case(name, comment, "1.1", "lp_parse", given, expect)

    three = lp(b"a", b"", b"ccc")
    yield case("three-fields", "an empty field is a field", three, [1, 0, 3])
    yield case("no-fields", "nothing is the empty list", b"", None)
    yield case("any-count", "a list of unknown count", three, None)
    yield case("field-count-plus-1", "one field too many", three, [1, 0], "parse")
    yield case("field-count-minus-1", "one field missing", three, [1, 0, 3, 4], "parse")
    yield case("field-length", "a field of another length", three, [1, 0, 4], "parse")
    yield case("trailing-byte", "a byte after the last field", three + b"\0", [1, 0, 3], "parse")
    yield case("length-beyond-end", "a length that lies", lp(b"abc")[:-1], None, "parse")
    yield case("length-cut", "half a length", three + b"\0\0\0", None, "parse")
    yield case("length-2-32", "the largest length", u32(0xFFFFFFFF) + b"x", None, "parse")


def _base64url() -> Iterator[Case]:
    rows = [
        ("plain", "the alphabet of URLs", "-_8A", "ok"),
        ("empty", "no bytes", "", "ok"),
        ("padding", "padding is not written", "AA==", "parse"),
        ("linefeed", "white space is not skipped", "AA\n", "parse"),
        ("trailing-bits", "unused bits are zero", "AB", "parse"),
        ("plus-slash", "the other alphabet", "+/8A", "parse"),
        ("one-character", "no byte has six bits", "A", "parse"),
    ]
    for name, comment, text, expect in rows:
        yield Case(name, comment, "1.2", "b64", {"text": text}, expect)


def _json() -> Iterator[Case]:
    deep: Any = 1
    for _ in range(5):
        deep = [deep]
    plain = '{"type":"text","text":"%s"}'
    rows: list[tuple[str, str, bytes, str]] = [
        ("text", "a text", '{"type":"text","text":"안녕 \\u00e9 👋"}'.encode(), "ok"),
        ("white-space", "white space of RFC 8259", b' {"type":\t"text",\n"text":""} ', "ok"),
        ("unknown-type", "kept for later readers", b'{"type":"sticker","id":7}', "ok"),
        ("unknown-member", "ignored, and committed", b'{"type":"text","text":"a","x":1}', "ok"),
        ("depth-6", "as deep as allowed", json.dumps({"type": "x", "d": deep}).encode(), "ok"),
        ("depth-7", "too deep", json.dumps({"type": "x", "d": [deep]}).encode(), "body"),
        ("nan", "not JSON", b'{"type":"x","n":NaN}', "body"),
        ("infinity", "not JSON", b'{"type":"x","n":-Infinity}', "body"),
        ("1e3", "no exponents", b'{"type":"x","n":1e3}', "body"),
        ("fraction", "no fractions", b'{"type":"x","n":1.0}', "body"),
        ("2-53-minus-1", "the largest integer", b'{"type":"x","n":9007199254740991}', "ok"),
        ("2-53", "not exact in JavaScript", b'{"type":"x","n":9007199254740992}', "body"),
        ("minus-zero", "two zeros would be one too many", b'{"type":"x","n":-0}', "body"),
        ("dup-name", "two readers, two values", b'{"type":"x","type":"y"}', "body"),
        ("surrogate", "escaped alone", b'{"type":"text","text":"\\ud800"}', "body"),
        ("surrogate-raw", "not UTF-8", b'{"type":"text","text":"\xed\xa0\x80"}', "body"),
        ("bom", "a byte order mark", b'\xef\xbb\xbf{"type":"x"}', "body"),
        ("latin-1", "not UTF-8", b'{"type":"text","text":"\xe9"}', "body"),
        ("not-object", "a body is an object", b'["text"]', "body"),
        ("no-type", "a body has a type", b'{"text":"a"}', "body"),
        ("text-missing", "a text has a text", b'{"type":"text"}', "body"),
        ("text-number", "text is a string", b'{"type":"text","text":1}', "body"),
        ("seen-log-short", "a hash has 32 bytes", _seen(b64(bytes(31))), "body"),
        ("seen", "the own log hash", _seen(b64(bytes(32))), "ok"),
        ("void", "used-up counters", b'{"type":"text","text":"","void":[[3,1],[3,2]]}', "ok"),
        ("void-negative", "counters start at 0", b'{"type":"x","void":[[3,-1]]}', "body"),
        ("body-252", "fills the first bucket", (plain % ("a" * 227)).encode(), "ok"),
        ("body-32764", "the longest", (plain % ("a" * 32739)).encode(), "ok"),
        ("body-32765", "one byte longer", (plain % ("a" * 32740)).encode(), "body"),
    ]
    for name, comment, data, expect in rows:
        yield Case(name, comment, "1.2, 8.3", "json_body", {"data": b64(data)}, expect)


def _seen(log: str) -> bytes:
    body = {"type": "text", "text": "", "seen": {"seq": 7, "log": log}}
    return json.dumps(body).encode()


def _padding() -> Iterator[Case]:
    for size, bucket in ((0, 256), (252, 256), (253, 512), (32764, 32768)):
        given = {"content": b64(b"x" * size), "buckets": "message"}
        yield Case(f"body-{size}", f"goes into {bucket}", "1.5", "pad", given)
    longest = {"content": b64(b"x" * 32765), "buckets": "message"}
    yield Case("body-32765", "fits nowhere", "1.5", "pad", longest, "body")
    title = {"content": b64(b"x" * 1021), "buckets": "title"}
    yield Case("title-1021", "fits no title bucket", "1.5", "pad", title, "body")
    good = pad(b"hello", MESSAGE_BUCKETS)
    rows = [
        ("message", "plain", good, "message", "ok"),
        ("title", "a title bucket", pad(b"t" * 300, TITLE_BUCKETS), "title", "ok"),
        ("pad-nonzero", "no place to hide words", good[:-1] + b"\1", "message", "body"),
        ("pad-len-too-big", "a length beyond", u32(253) + good[4:], "message", "body"),
        ("pad-not-smallest", "one size only", good + bytes(256), "message", "body"),
        ("pad-not-bucket", "no bucket", good + b"\0", "message", "body"),
        ("pad-title-2048", "not a title's bucket", pad(b"t" * 1500, (2048,)), "title", "body"),
        ("pad-empty", "nothing at all", b"", "message", "body"),
    ]
    for name, comment, padded, buckets, expect in rows:
        given = {"padded": b64(padded), "buckets": buckets}
        yield Case(name, comment, "1.5", "unpad", given, expect)


def _primitives() -> Iterator[Case]:
    data, key = b"some bytes", bytes(range(32))
    yield Case("hash", "H", "1.1", "hash", {"label": "core", "data": b64(data)})
    yield Case(
        "hash-label", "a label separates", "1.1", "hash", {"label": "ops", "data": b64(data)}
    )
    given = {"key": b64(key), "label": "wrap", "data": b64(data)}
    yield Case("kdf", "KDF", "1.1", "kdf", given)
    given = {"key": b64(key), "label": "msg", "data": ""}
    yield Case("kdf-empty", "KDF over nothing", "1.1", "kdf", given)
    for number, (key_hex, data_hex) in enumerate(HMAC, 1):
        values = {"key": b64(bytes.fromhex(key_hex)), "data": b64(bytes.fromhex(data_hex))}
        yield Case(f"hmac-rfc4231-{number}", "RFC 4231", "1.1", "hmac", values)
    for number, (seed_hex, message_hex) in enumerate(ED25519, 1):
        values = {
            "seed": b64(bytes.fromhex(seed_hex)),
            "message": b64(bytes.fromhex(message_hex)),
        }
        yield Case(f"ed25519-rfc8032-{number}", "RFC 8032 §7.1", "1.3", "ed25519", values)
    aead = {name: b64(bytes.fromhex(value)) for name, value in AEAD.items()}
    source = "draft-irtf-cfrg-xchacha-03 A.3.1"
    yield Case("xchacha20poly1305-draft", source, "1.1", "aead_open", aead)
    broken = {**aead, "ad": b64(b"other")}
    yield Case("xchacha20poly1305-ad", "other associated data", "1.1", "aead_open", broken, "aead")
    for number, values in enumerate(XWING, 1):
        given = {name: b64(bytes.fromhex(value)) for name, value in values.items()}
        comment = "draft-connolly-cfrg-xwing-kem-08 appendix C"
        yield Case(f"xwing-draft-{number}", comment, "2", "xwing", given)


def _signatures() -> Iterator[Case]:
    seed, data = bytes(range(32)), b"some bytes"
    given = {"seed": b64(seed), "label": "commit", "data": b64(data)}
    yield Case("sign", "a labelled signature", "1.1", "sign", given)
    public, sig = prim.public_key(seed), prim.sign(seed, "commit", data)

    def check(name: str, comment: str, expect: str = "signature", **changed: Any) -> Case:
        values: dict[str, Any] = {"public": public, "label": "commit", "data": data, "sig": sig}
        values.update(changed)
        given = {k: v if k == "label" else b64(v) for k, v in values.items()}
        return Case(name, comment, "1.3", "verify", given, expect)

    yield check("verify", "the same", "ok")
    for label in SIGNED_LABELS[1:]:
        yield check(f"label-{label}", "a commit's signature under another label", label=label)
    s = (int.from_bytes(sig[32:], "little") + _ORDER).to_bytes(32, "little")
    yield check("sig-S-plus-L", "S is not reduced", sig=sig[:32] + s)
    identity = bytes([1]) + bytes(31)
    zero = identity + bytes(32)
    why = "valid for every message with OpenSSL, never with libsodium"
    yield check("sig-identity-key", why, public=identity, sig=zero)
    wrapped = (((1 << 255) - 19) + 1).to_bytes(32, "little")
    why = "R is the identity, written as p + 1"
    yield check("sig-noncanonical-R", why, sig=wrapped + bytes(32))
    yield check("sig-short", "63 bytes", sig=sig[:-1])
    good = sodium.crypto_sign_seed_keypair(bytes(32))[0]
    yield Case("key-valid", "a usual key", "1.3", "check_key", {"public": b64(good)})
    torsion = bytes.fromhex(_SMALL_ORDER[4])
    mixed = {"public": b64(sodium.crypto_core_ed25519_add(good, torsion))}
    why = "a usual key plus a point of small order"
    yield Case("key-mixed-order", why, "1.3", "check_key", mixed, "signature")
    for number, point in enumerate(_SMALL_ORDER, 1):
        values = {"public": b64(bytes.fromhex(point))}
        name = f"small-order-{number}"
        yield Case(name, "a point of small order", "1.3", "check_key", values, "signature")
