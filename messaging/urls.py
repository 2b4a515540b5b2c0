"""Addresses of rooms, their commits and their logs, under /api/."""

from django.urls import path

from messaging import api

urlpatterns = [
    path("rooms", api.RoomsView.as_view()),
    path("rooms/<uuid:room_id>", api.RoomView.as_view()),
    path("rooms/<uuid:room_id>/commits", api.CommitsView.as_view()),
    path("rooms/<uuid:room_id>/leave", api.LeaveView.as_view()),
    path("rooms/<uuid:room_id>/hide", api.HideView.as_view()),
    path("rooms/<uuid:room_id>/items", api.ItemsView.as_view()),
]
