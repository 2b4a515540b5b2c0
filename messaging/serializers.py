"""The JSON of rooms and their logs in docs/wire.md."""

from typing import Any

from rest_framework import serializers

from accounts.fields import BytesField, IdField, StrictSerializer, WholeField
from accounts.protocol import to_base64url
from messaging.pages import item
from messaging.services import Page, RoomOverview
from rooms.models import Membership
from rooms.statements import MAX_STATEMENT

ROLES = (("member", "member"), ("admin", "admin"))
KINDS = (("direct", "direct"), ("group", "group"))
ITEM_KINDS = (("message", "message"), ("commit", "commit"), ("leave", "leave"))


class Range(StrictSerializer):
    after = serializers.IntegerField(min_value=0, max_value=2**53 - 1, default=0)
    upto = serializers.IntegerField(min_value=0, max_value=2**53 - 1, required=False)


class NewLeave(StrictSerializer):
    statement = BytesField(min=1, max=MAX_STATEMENT)


class OwnStay(StrictSerializer):
    role = serializers.ChoiceField(ROLES)
    joined_epoch = WholeField()
    last_epoch = WholeField(allow_null=True)
    hidden_to = WholeField()


class Member(StrictSerializer):
    user_id = IdField()
    nickname = serializers.CharField()
    role = serializers.ChoiceField(ROLES)
    joined_epoch = WholeField()


class Leaving(StrictSerializer):
    user_id = IdField()
    joined_epoch = WholeField()
    statement = BytesField()


class CursorOf(StrictSerializer):
    user_id = IdField()
    delivered_to = WholeField()
    read_to = WholeField()


class Room(StrictSerializer):
    room_id = IdField()
    kind = serializers.ChoiceField(KINDS)
    genesis = BytesField()
    head_epoch = WholeField()
    head_hash = BytesField(exact=32)
    head_seq = WholeField()
    stale = serializers.BooleanField()
    created_ms = WholeField()
    me = OwnStay()
    members = Member(many=True)
    leaving = Leaving(many=True)
    cursors = CursorOf(many=True)


class Rooms(StrictSerializer):
    rooms = Room(many=True)


class Item(StrictSerializer):
    seq = WholeField()
    kind = serializers.ChoiceField(ITEM_KINDS)
    envelope = BytesField(required=False)
    accepted_ms = WholeField(required=False)
    key_id = WholeField(required=False)
    stamp = BytesField(exact=32, required=False)
    epoch = WholeField(required=False)
    hash = BytesField(exact=32, required=False)
    event = BytesField(required=False)


class Items(StrictSerializer):
    room_id = IdField()
    after = WholeField()
    upto = WholeField()
    head = WholeField()
    items = Item(many=True)


def room_of(overview: RoomOverview) -> dict[str, Any]:
    """The members of a Room."""
    room, me = overview.room, overview.me
    return {
        "room_id": str(room.id),
        "kind": room.Kind(room.kind).label,
        "genesis": to_base64url(bytes(room.genesis)),
        "head_epoch": overview.head_epoch,
        "head_hash": to_base64url(overview.head_hash),
        "head_seq": overview.head_seq,
        "stale": overview.stale,
        "created_ms": int(room.created_at.timestamp() * 1000),
        "me": {
            "role": _role(me),
            "joined_epoch": me.joined_epoch,
            "last_epoch": me.last_epoch,
            "hidden_to": me.hidden_to,
        },
        "members": [_member(row) for row in overview.members],
        "leaving": [_leaving(row) for row in overview.leaving],
        "cursors": [
            {"user_id": str(user_id), "delivered_to": delivered_to, "read_to": read_to}
            for user_id, delivered_to, read_to in overview.cursors
        ],
    }


def _role(row: Membership) -> str:
    return "admin" if row.role == Membership.Role.ADMIN else "member"


def _member(row: Membership) -> dict[str, Any]:
    return {
        "user_id": str(row.user_id),
        "nickname": row.user.nickname,
        "role": _role(row),
        "joined_epoch": row.joined_epoch,
    }


def _leaving(row: Membership) -> dict[str, Any]:
    return {
        "user_id": str(row.user_id),
        "joined_epoch": row.joined_epoch,
        "statement": to_base64url(bytes(row.leave_statement or b"")),
    }


def items_of(page: Page) -> dict[str, Any]:
    """The answer of ``GET …/items``."""
    return {
        "room_id": str(page.room_id),
        "after": page.after,
        "upto": page.upto,
        "head": page.head,
        "items": [item(record) for record in page.items],
    }
