"""Moderators see who is in which room, and nothing that was written or named there."""

import base64

import pytest
from django.contrib import admin
from django.urls import reverse

from rooms.models import EpochCommit, Membership, Room

TITLE = "garden"
PARTS = ("core", "tag", "sig", "ops", "state", "prekeys")


@pytest.fixture
def pages(garden):
    """Every admin page about rooms, as mod sees it: {address: text}."""
    stays, room = Membership.objects.all(), Room.objects.get()
    addresses = [
        reverse("admin:rooms_room_changelist"),
        reverse("admin:rooms_room_change", args=[room.pk]),
        reverse("admin:rooms_room_history", args=[room.pk]),
        reverse("admin:rooms_membership_changelist"),
        *(reverse("admin:rooms_membership_change", args=[stay.pk]) for stay in stays),
        reverse("admin:index"),
    ]
    answers = {address: garden.cast.mod.get(address) for address in addresses}
    assert {answer.status_code for answer in answers.values()} == {200}
    return {address: answer.content.decode() for address, answer in answers.items()}


def spellings(data):
    """How bytes might look on a page."""
    return [data.hex(), base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()]


def test_a_moderator_sees_who_is_in_a_room(pages, garden):
    room = pages[reverse("admin:rooms_room_change", args=[garden.id])]

    assert all(f"{name}@example.org" in room for name in ("alice", "bob", "dave"))
    assert str(garden.id) in pages[reverse("admin:rooms_room_changelist")]


def test_no_page_shows_a_title_or_any_sealed_or_signed_byte(pages):
    stays = Membership.objects.all()
    secret = [bytes(getattr(row, name)) for row in EpochCommit.objects.all() for name in PARTS]
    secret += [bytes(stay.leave_statement) for stay in stays if stay.leave_statement]
    secret += [bytes(stay.amk_pub) for stay in stays]
    assert len(secret) == 2 * len(PARTS) + 1 + 3

    shown = "".join(pages.values())

    assert [data for data in secret if any(text in shown for text in spellings(data[-24:]))] == []
    assert "<memory at" not in shown
    assert TITLE not in shown


def test_the_models_with_bytes_have_no_page():
    names = {model.__name__ for model in admin.site._registry if model._meta.app_label == "rooms"}
    assert names == {"Room", "Membership"}


@pytest.mark.parametrize("page", ["room_add", "membership_add"])
def test_nobody_adds_a_room_or_a_member_in_the_admin(garden, page):
    mod = garden.cast.mod
    mod.user.is_superuser = True
    mod.user.save()

    assert mod.get(reverse(f"admin:rooms_{page}")).status_code == 403


@pytest.mark.parametrize("page", ["change", "delete"])
def test_nobody_changes_a_room_in_the_admin(garden, page):
    address = reverse(f"admin:rooms_room_{page}", args=[garden.id])

    answer = garden.cast.mod.client.post(address, {"kind": 2, "post": "yes"})

    assert answer.status_code == 403
    assert Room.objects.get().kind == Room.Kind.GROUP


@pytest.mark.parametrize("name", ["mallory", "dave", "alice"])
def test_only_moderators_see_the_admin(garden, name):
    address = reverse("admin:rooms_room_changelist")
    assert garden.cast.mod.get(address).status_code == 200

    assert garden.cast[name].get(address).status_code != 200
