"""Where allauth's sign-up, sign-in and sessions meet ours."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.stagekit import clear_login
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from accounts.client_address import client_address, client_network
from accounts.models import User
from accounts.realtime import end_sessions_on_commit


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Our rules: who may join, where links lead, and that the end of a session ends its sockets."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.SIGNUP == "open")

    def get_client_ip(self, request: HttpRequest) -> str:
        forwarded_for = request.headers.get("X-Forwarded-For")
        address = client_address(request.META.get("REMOTE_ADDR"), forwarded_for)
        if address is None:
            raise PermissionDenied("A connection without an address.")
        return client_network(address)

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        user.nickname = form.cleaned_data["nickname"]
        saved: User = super().save_user(request, user, form, commit)
        return saved

    def send_account_already_exists_mail(self, email: str) -> None:
        # A new account costs one password hash; so does this, or the clock would tell them apart.
        make_password("the same work as for a new account")
        super().send_account_already_exists_mail(email)

    def get_reset_password_from_key_url(self, key: str) -> str:
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        return str(settings.PUBLIC_URL) + path.replace("UID-KEY", key)

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        path = reverse("account_confirm_email", args=[emailconfirmation.key])
        return str(settings.PUBLIC_URL) + path

    def pre_login(self, request: HttpRequest, user: User, **options: Any) -> HttpResponse | None:
        if user.suspended_at is not None:
            clear_login(request)
            response: HttpResponse | None = self.respond_user_inactive(request, user)
        else:
            response = super().pre_login(request, user, **options)
        return response

    def set_password(self, user: User, password: str) -> None:
        with transaction.atomic():
            super().set_password(user, password)
            end_sessions_on_commit(user.id)

    def logout(self, request: HttpRequest) -> None:
        user_id, session_key = request.user.pk, request.session.session_key
        with transaction.atomic():
            super().logout(request)
            if user_id is not None and session_key is not None:
                end_sessions_on_commit(user_id, session_key=session_key)


class SessionsAdapter(DefaultUserSessionsAdapter):  # type: ignore[misc]
    """Ends chosen sessions of a person, with their sockets."""

    def end_sessions(self, sessions: Any) -> None:
        with transaction.atomic():
            for session in sessions:
                end_sessions_on_commit(session.user_id, session_key=session.session_key)
            super().end_sessions(sessions)
