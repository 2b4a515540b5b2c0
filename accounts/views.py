"""Pages of allauth's that we narrow. The rest of them are as allauth has them."""

from typing import Any

from allauth.account import app_settings, views
from allauth.account.internal.flows.email_verification import send_verification_email_to_address
from allauth.account.models import EmailAddress
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect

from accounts.models import User


class EmailView(views.EmailView):  # type: ignore[misc]
    """Changing one's address: a new one counts from its confirmation on, never before.

    allauth would also take an address that nobody has confirmed, from whoever has confirmed none.
    A taken one would end in an error there, and so tell that it is taken.
    """

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if isinstance(request.user, User):
            keep_own_address(request.user)
        answer: HttpResponse = super().dispatch(request, *args, **kwargs)
        return answer

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "action_primary" in request.POST:
            raise Http404
        answer: HttpResponse = super().post(request, *args, **kwargs)
        return answer

    def form_valid(self, form: Any) -> HttpResponse:
        # allauth takes an account's own address, while it is unconfirmed, for a change under way:
        # it drops that row, and with it the address that the account signs in by.
        user = self.request.user
        unconfirmed = EmailAddress.objects.filter(user=user, verified=False)
        by_link = not app_settings.EMAIL_VERIFICATION_BY_CODE_ENABLED
        if not (by_link and unconfirmed.filter(primary=True).exists()):
            answer: HttpResponse = super().form_valid(form)
            return answer
        with transaction.atomic():
            unconfirmed.filter(primary=False).delete()
            email = form.cleaned_data["email"]
            address = EmailAddress.objects.create(user=user, email=email)
        send_verification_email_to_address(self.request, address)
        return HttpResponseRedirect(self.get_success_url())


def keep_own_address(user: User) -> None:
    """Make the account's address its primary one, as sign-up does.

    An account made by an operator has no such row.
    """
    own, _ = EmailAddress.objects.get_or_create(user=user, email=user.email)
    if not EmailAddress.objects.filter(user=user, primary=True).exists():
        EmailAddress.objects.filter(pk=own.pk).update(primary=True)
