"""Addresses of what hangs on a chain, under /api/; the rooms themselves are in messaging.urls."""

from django.urls import path

from rooms import api

urlpatterns = [
    path("rooms/<uuid:room_id>/prekeys", api.PrekeysView.as_view()),
    path("rooms/<uuid:room_id>/wraps", api.WrapsView.as_view()),
    path("rooms/<uuid:room_id>/wraps/ack", api.WrapsAckView.as_view()),
    path("rooms/<uuid:room_id>/history-records", api.HistoryRecordsView.as_view()),
]
