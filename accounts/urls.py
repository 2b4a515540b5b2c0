"""Addresses of "Me, keys, devices", under /api/."""

from django.urls import path

from accounts import api, link_api, passkey_api, reset_api

urlpatterns = [
    path("me", api.MeView.as_view()),
    path("me/keys", api.KeysView.as_view()),
    path("me/device-lists", api.DeviceListsView.as_view()),
    path("me/recovery", api.RecoveryView.as_view()),
    path("me/former-recovery", api.FormerRecoveryView.as_view()),
    path("me/backup-key", api.BackupKeyView.as_view()),
    path("me/passkeys", passkey_api.PasskeysView.as_view()),
    path("me/passkeys/<uuid:passkey_id>", passkey_api.PasskeyView.as_view()),
    path("me/links", link_api.LinksView.as_view()),
    path("me/links/<uuid:link_id>", link_api.LinkView.as_view()),
    path("me/links/<uuid:link_id>/take", link_api.LinkTakeView.as_view()),
    path("me/links/<uuid:link_id>/answer", link_api.LinkAnswerView.as_view()),
    path("me/reset", reset_api.ResetView.as_view()),
    path("me/reset/veto", reset_api.VetoView.as_view()),
    path("me/reset/complete", reset_api.CompleteView.as_view()),
    path("devices", api.DevicesView.as_view()),
    path("devices/challenge", api.ChallengeView.as_view()),
    path("devices/proof", api.ProofView.as_view()),
    path("prekeys", api.PrekeysView.as_view()),
    path("key-log", api.KeyLogView.as_view()),
    path("key-log/head", api.KeyLogHeadView.as_view()),
    path("users/<uuid:user_id>", api.UserView.as_view()),
    path("users/keys", api.ManyKeysView.as_view()),
    path("users/<uuid:user_id>/keys", api.UserKeysView.as_view()),
]
