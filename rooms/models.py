"""Who is in which room, and the room's chain of signed epochs. Titles are sealed in the commits."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rooms.statements import is_leave


class Room(models.Model):
    """A direct room of two people or a group. Its id is derived from its genesis, never chosen."""

    class Kind(models.IntegerChoices):
        GROUP = 1, "group"
        DIRECT = 2, "direct"

    id = models.UUIDField(primary_key=True, editable=False)
    kind = models.PositiveSmallIntegerField(choices=Kind.choices)
    genesis = models.BinaryField()
    creator = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    # null until the commit of epoch 0 is confirmed; until then nobody sees the room
    head_epoch = models.PositiveBigIntegerField(null=True)
    head_hash = models.BinaryField(max_length=32, default=b"")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("방")
        verbose_name_plural = _("방들")

    def __str__(self) -> str:
        return str(self.id)


class DeletedRoom(models.Model):
    """The tombstone of a room deleted for everybody: a late message must not bring it back."""

    room_id = models.UUIDField(primary_key=True, editable=False)
    deleted_at = models.DateTimeField(auto_now_add=True)


class Membership(models.Model):
    """One stay of a person in a room: from ``joined_epoch`` to ``last_epoch``, or until now."""

    class Role(models.IntegerChoices):
        MEMBER = 1, "member"
        ADMIN = 2, "admin"

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    role = models.PositiveSmallIntegerField(choices=Role.choices)
    amk_pub = models.BinaryField(max_length=32)
    list_version = models.PositiveBigIntegerField()
    list_hash = models.BinaryField(max_length=32)
    joined_epoch = models.PositiveBigIntegerField()
    # A leaver loses the right to read on and to write at once (last_epoch); the roster of the chain
    # still names them until somebody else commits the removal with their statement (removed_epoch).
    last_epoch = models.PositiveBigIntegerField(null=True, blank=True)
    leave_statement = models.BinaryField(null=True, blank=True)
    removed_epoch = models.PositiveBigIntegerField(null=True, blank=True)
    hidden_to = models.PositiveBigIntegerField(default=0)
    is_hidden = models.BooleanField(default=False)
    joined_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("참여")
        verbose_name_plural = _("참여들")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["room", "user", "joined_epoch"], name="one_stay_per_joined_epoch"
            ),
            models.CheckConstraint(
                condition=Q(removed_epoch__isnull=True) | Q(last_epoch__isnull=False),
                name="removed_members_have_a_last_epoch",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["user", "last_epoch"], name="membership_user")]

    @property
    def is_current(self) -> bool:
        """Whether the person may read what comes and write."""
        return self.last_epoch is None

    @property
    def left_by_own_word(self) -> bool:
        """Whether a leave of their own ended the stay; the server's statement is none."""
        return self.leave_statement is not None and is_leave(bytes(self.leave_statement))


class EpochCommit(models.Model):
    """One link of a room's chain, kept as it was received."""

    class Status(models.IntegerChoices):
        PENDING = 0, "pending"  # on its way to the queue; others must wait
        ACCEPTED = 1, "accepted"

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="commits")
    epoch = models.PositiveBigIntegerField()
    status = models.PositiveSmallIntegerField(choices=Status.choices, default=Status.PENDING)
    hash = models.BinaryField(max_length=32)
    core = models.BinaryField()
    tag = models.BinaryField(max_length=32)
    sig = models.BinaryField(max_length=64)
    ops = models.BinaryField()
    state = models.BinaryField()
    prekeys = models.BinaryField()
    committer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    committer_device = models.UUIDField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["room", "epoch"], name="one_commit_per_epoch")
        ]


class EpochWrap(models.Model):
    """The epoch secret wrapped for one device; deleted when that device says it has it."""

    commit = models.ForeignKey(EpochCommit, on_delete=models.CASCADE, related_name="wraps")
    device = models.ForeignKey("accounts.Device", on_delete=models.CASCADE, related_name="+")
    wrap = models.BinaryField(max_length=1168)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["commit", "device"], name="one_wrap_per_device")
        ]


class HistoryRecord(models.Model):
    """An epoch secret sealed to its owner's backup key; at most three writers for each epoch."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="history_records")
    epoch = models.PositiveBigIntegerField()
    writer_device = models.UUIDField()
    commit_hash = models.BinaryField(max_length=32)
    bk_version = models.PositiveBigIntegerField()
    record = models.BinaryField(max_length=1168)
    sig = models.BinaryField(max_length=64)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "room", "epoch", "writer_device"], name="one_record_per_writer"
            )
        ]
