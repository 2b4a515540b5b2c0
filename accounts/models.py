"""Who you are, and the public keys that speak for you. Nothing here is secret to the server."""

import os
import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.utils.translation import gettext_lazy as _


def random_id() -> uuid.UUID:
    """A fresh id: 16 random bytes, written as a lower-case UUID."""
    return uuid.UUID(bytes=os.urandom(16))


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make a person who signs in with ``email``, kept in lower case."""
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=email.lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make an operator who may use the admin."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person's account, found by e-mail."""

    id = models.UUIDField(primary_key=True, default=random_id, editable=False)
    email = models.EmailField(_("이메일"), unique=True)
    nickname = models.CharField(_("이름"), max_length=40)
    status_message = models.CharField(_("상태 메시지"), max_length=120, blank=True)
    is_active = models.BooleanField(_("사용 중"), default=True)
    is_staff = models.BooleanField(_("관리자"), default=False)
    suspended_at = models.DateTimeField(_("정지한 때"), null=True, blank=True)
    created_at = models.DateTimeField(_("가입한 때"), auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["nickname"]

    class Meta:
        verbose_name = _("사람")
        verbose_name_plural = _("사람들")

    def __str__(self) -> str:
        return self.email


class AccountKey(models.Model):
    """The public account key of a person and the sealed recovery blob only they can open.

    ``number`` counts the keys of a person from 1; those before are `FormerKey` rows.
    """

    user = models.OneToOneField(
        User, on_delete=models.CASCADE, primary_key=True, related_name="account_key"
    )
    number = models.PositiveIntegerField(default=1)
    amk_pub = models.BinaryField(max_length=32)
    recovery_blob = models.BinaryField(max_length=2048)
    recovery_sig = models.BinaryField(max_length=64)
    recovery_version = models.PositiveBigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)


class BackupCarry(models.Model):
    """The seed of a former backup key, sealed to the key that took its place.

    Backup keys are counted from 1 again under each account key, as lists are.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="backup_carries")
    key_number = models.PositiveIntegerField(default=1)
    bk_version = models.PositiveBigIntegerField()
    carry = models.BinaryField(max_length=1168)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "key_number", "bk_version"], name="one_carry_per_backup_key"
            )
        ]


class Passkey(models.Model):
    """The present recovery key of a person, sealed under what one authenticator answers.

    Its id is derived from the credential's, never chosen. It ends with its recovery key.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="passkeys")
    sealed = models.BinaryField(max_length=1280)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)


class DeviceList(models.Model):
    """One signed version of the list of a person's devices, kept as it was received.

    Versions begin at 1 again under each account key; ``key_number`` says which one signed.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="device_lists")
    key_number = models.PositiveIntegerField(default=1)
    version = models.PositiveBigIntegerField()
    body = models.BinaryField()
    sig = models.BinaryField(max_length=64)
    list_hash = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "key_number", "version"], name="one_list_per_key_and_version"
            )
        ]


class Reset(models.Model):
    """Somebody with the login and no key asks that the account goes on under another account key.

    It waits while ``ended_at`` is null; of one person's resets at most one does (the person's row
    is locked by whoever begins or ends one).
    """

    class End(models.IntegerChoices):
        COMPLETED = 1, "completed"
        VETOED = 2, "vetoed"
        WITHDRAWN = 3, "withdrawn"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="resets")
    body = models.BinaryField(max_length=256)
    sig = models.BinaryField(max_length=64)
    reset_id = models.BinaryField(max_length=32)
    announced_at = models.DateTimeField()
    due_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    end = models.PositiveSmallIntegerField(choices=End.choices, null=True)
    veto = models.BinaryField(max_length=256, null=True)


class FormerKey(models.Model):
    """An account key that a reset has ended, with the recovery blob that opens its past.

    Its device lists stay: rosters of the past name them.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="former_keys")
    number = models.PositiveIntegerField()
    amk_pub = models.BinaryField(max_length=32)
    recovery_blob = models.BinaryField(max_length=2048)
    recovery_sig = models.BinaryField(max_length=64)
    recovery_version = models.PositiveBigIntegerField()
    reset = models.OneToOneField(Reset, on_delete=models.CASCADE, related_name="former_key")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "number"], name="one_former_key_per_number")
        ]


class Device(models.Model):
    """One browser or program that holds keys. Its id is derived from its key, never chosen."""

    id = models.UUIDField(primary_key=True, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="devices")
    dsk_pub = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("기기")
        verbose_name_plural = _("기기들")

    def __str__(self) -> str:
        return str(self.id)


class SessionsEnded(models.Model):
    """Some session, or all, of a person ended just now: their sockets have to be looked at.

    No foreign key: the row is read by processes that were not there, and gone within minutes.
    """

    user_id = models.UUIDField()
    ended_at = models.DateTimeField(auto_now_add=True, db_index=True)


class LinkBox(models.Model):
    """What two browsers of one person pass each other while one links the other; minutes old.

    ``device`` is the listed device that took the offer. Sealed for the two of them, both ways.
    """

    user = models.OneToOneField(
        User, on_delete=models.CASCADE, primary_key=True, related_name="link_box"
    )
    link_id = models.UUIDField(editable=False)
    session_key = models.CharField(max_length=40)
    offer = models.BinaryField()
    device = models.ForeignKey(Device, on_delete=models.CASCADE, null=True)
    answer = models.BinaryField(null=True)
    expires_ms = models.PositiveBigIntegerField(db_index=True)


class Prekey(models.Model):
    """A public key to which others wrap epoch secrets for a device, kept as it was received."""

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="prekeys")
    seq = models.PositiveBigIntegerField()
    body = models.BinaryField()
    sig = models.BinaryField(max_length=64)
    prekey_hash = models.BinaryField(max_length=32)
    expires_ms = models.PositiveBigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["device", "seq"], name="one_prekey_per_seq")
        ]


class KeyLog(models.Model):
    """One of this server's key logs; the newest is written to, the first row is the lock for that.

    ``frontier`` are the hashes from which the next root is made, joined.
    """

    id = models.PositiveIntegerField(primary_key=True)
    number = models.PositiveIntegerField()
    start = models.BinaryField()
    sig = models.BinaryField(max_length=64)
    log_id = models.BinaryField(max_length=32)
    log_pub = models.BinaryField(max_length=32)
    size = models.PositiveBigIntegerField(default=0)
    frontier = models.BinaryField(default=b"")
    created_at = models.DateTimeField(auto_now_add=True)


class KeyLogLeaf(models.Model):
    """One leaf, for ever: hashes only, so that it stays when an account is withdrawn.

    ``root`` is that of the log with this leaf as its last.
    """

    log = models.ForeignKey(KeyLog, on_delete=models.PROTECT, related_name="leaves")
    index = models.PositiveBigIntegerField()
    label = models.CharField(max_length=64)  # hexadecimal, because MySQL indexes no bytes
    seq = models.PositiveBigIntegerField()
    body = models.BinaryField()
    root = models.BinaryField(max_length=32)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["log", "index"], name="one_leaf_per_index"),
            models.UniqueConstraint(fields=["log", "label", "seq"], name="one_leaf_per_seq"),
        ]
