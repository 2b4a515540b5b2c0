"""The solo profile's message log and everybody's cursors. The server never sees inside ``body``."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models

NO_DEVICE = uuid.UUID(int=0)


class LogRecord(models.Model):
    """One row of a room's log in the solo profile; the cluster keeps the same row in MongoDB.

    Rows that are not messages have the device ``NO_DEVICE``, no ``n``, and a ``message_id`` derived
    from the event, so that a second delivery finds the first.
    """

    class Kind(models.IntegerChoices):
        MESSAGE = 1, "message"
        COMMIT = 2, "commit"
        LEAVE = 3, "leave"

    room_id = models.UUIDField()
    seq = models.PositiveBigIntegerField()
    kind = models.PositiveSmallIntegerField(choices=Kind.choices)
    epoch = models.PositiveBigIntegerField()
    device_id = models.UUIDField(default=NO_DEVICE)
    message_id = models.UUIDField()
    n = models.PositiveIntegerField(null=True)
    counts = models.BooleanField(default=False)  # class 1 of the header: counts as unread
    eid = models.BinaryField(max_length=32)
    body = models.BinaryField()
    accepted_ms = models.PositiveBigIntegerField()
    key_id = models.PositiveBigIntegerField(default=0)
    stamp = models.BinaryField(max_length=32, default=b"")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["room_id", "seq"], name="log_seq"),
            models.UniqueConstraint(
                fields=["room_id", "device_id", "message_id"], name="log_message"
            ),
            models.UniqueConstraint(
                fields=["room_id", "epoch", "device_id", "n"], name="log_counter"
            ),
        ]


class Cursor(models.Model):
    """How far a device has received and its owner has read a room; both only grow."""

    room_id = models.UUIDField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    device = models.ForeignKey("accounts.Device", on_delete=models.CASCADE, related_name="+")
    delivered_to = models.PositiveBigIntegerField(default=0)
    read_to = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["room_id", "device"], name="one_cursor_per_device")
        ]
