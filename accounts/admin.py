"""What moderators see of people and devices, and what they may do: suspend and restore."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.auth.forms import BaseUserCreationForm
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import services
from accounts.fingerprint import fingerprint
from accounts.models import AccountKey, Device, User
from accounts.realtime import end_sessions_on_commit
from accounts.refusals import Refused

# What other apps know of a person as a number: (label, count). They append when they load.
counts: list[tuple[Any, Callable[[UUID], int]]] = []


if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    CreationForm = BaseUserCreationForm[User]
else:
    ModelAdmin, CreationForm = admin.ModelAdmin, BaseUserCreationForm


class ReadOnlyAdmin(ModelAdmin):
    """Rows that moderators look at and nobody changes here."""

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Only the filters beside the list: Django's own rule lets the address ask any column."""
        offered = {each[0] if isinstance(each, tuple) else each for each in self.list_filter}
        asks = lookup.partition("__")[0] in offered
        return asks and bool(super().lookup_allowed(lookup, value, request))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_staff)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_staff)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class NewUserForm(CreationForm):
    """How an operator makes an account: the only way in where sign-up is closed."""

    class Meta:
        model = User
        fields = ("email", "nickname")

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    """People: found by e-mail or name, suspended and restored. Operators also make accounts."""

    list_display = ("email", "nickname", "created_at", "suspended_at", "is_staff")
    list_filter = ("is_staff", "is_active", ("suspended_at", admin.EmptyFieldListFilter))
    search_fields = ("email", "nickname")
    ordering = ("email",)
    actions = ("suspend", "restore")
    shown: ClassVar[tuple[str, ...]] = (
        "id",
        "email",
        "nickname",
        "status_message",
        "created_at",
        "last_login",
        "suspended_at",
        "account_fingerprint",
        "numbers",
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_superuser)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("email", "nickname", "password1", "password2")
        return (*self.shown, "is_active", "is_staff")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else self.shown

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kw: Any
    ) -> Any:
        if obj is None:
            kw["form"] = NewUserForm
        return super().get_form(request, obj, change, **kw)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Keep it; who is no longer in use loses their sockets with their sessions."""
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            if not obj.is_active:
                end_sessions_on_commit(obj.id)

    @admin.display(description=gettext_lazy("지문"))
    def account_fingerprint(self, user: User) -> str:
        account = AccountKey.objects.filter(user=user).first()
        return fingerprint(user.id, bytes(account.amk_pub)) if account else "-"

    @admin.display(description=gettext_lazy("수"))
    def numbers(self, user: User) -> SafeString:
        rows = [(label, count(user.id)) for label, count in counts]
        return format_html_join(" · ", "{} {}", rows)

    @admin.action(description=gettext_lazy("정지하기"))
    def suspend(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._moderate(request, queryset, services.suspend_user, _("정지했어요."))

    @admin.action(description=gettext_lazy("정지 풀기"))
    def restore(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._moderate(request, queryset, services.restore_user, _("정지를 풀었어요."))

    def _moderate(
        self, request: HttpRequest, users: QuerySet[User], act: Callable[..., None], done: str
    ) -> None:
        for user in users:
            try:
                act(actor=request.user, user=user)
            except Refused:
                refusal = _("할 수 없는 계정이에요.")
                self.message_user(request, f"{user.email}: {refusal}", messages.ERROR)
            else:
                self.log_change(request, user, done)
                self.message_user(request, f"{user.email}: {done}")


@admin.register(Device)
class DeviceAdmin(ReadOnlyAdmin):
    """Devices: whose, since when, until when."""

    list_display = ("id", "user", "created_at", "last_used_at", "revoked_at")
    fields = list_display
    search_fields = ("id", "user__email")
    list_select_related = ("user",)
    ordering = ("-created_at",)


def device_count(user_id: UUID) -> int:
    """How many devices a person uses."""
    return Device.objects.filter(user=user_id, revoked_at=None).count()


counts.append((gettext_lazy("기기"), device_count))
