"""Rooms and memberships in the admin: who is where, and since when. There is no content to show."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Count, Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin import ReadOnlyAdmin, counts
from rooms.access import rooms_of
from rooms.models import Membership, Room

if TYPE_CHECKING:
    TabularInline = admin.TabularInline[Any, Any]
else:
    TabularInline = admin.TabularInline

STAY = ("role", "joined_at", "joined_epoch", "last_epoch", "removed_epoch")


class StayInline(TabularInline):
    """Who is or was in the room."""

    model = Membership
    fields = readonly_fields = ("user", *STAY)
    extra = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_staff)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Room)
class RoomAdmin(ReadOnlyAdmin):
    """Rooms by id or by who is in them; their titles are sealed."""

    list_display = ("id", "kind", "head_epoch", "current_members", "created_at")
    list_filter = ("kind", "created_at")
    search_fields = ("=id", "memberships__user__email")
    ordering = ("-created_at",)
    fields = ("id", "kind", "head_epoch", "creator", "created_at")
    inlines = (StayInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Room]:
        here = Count("memberships", filter=Q(memberships__last_epoch__isnull=True))
        return Room.objects.annotate(members_now=here)

    @admin.display(description=_("지금 있는 사람"), ordering="members_now")
    def current_members(self, room: Any) -> int:
        return int(room.members_now)


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    """Stays by person or room."""

    list_display = ("user", "room", "role", "joined_at", "joined_epoch", "last_epoch")
    list_filter = ("role", "joined_at")
    list_select_related = ("user", "room")
    search_fields = ("user__email", "=room__id")
    ordering = ("-joined_at",)
    fields = ("user", "room", *STAY)


def _rooms_now(user_id: UUID) -> int:
    return len(rooms_of(user_id))


counts.append((_("방"), _rooms_now))
