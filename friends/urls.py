"""Addresses of "Friends", under /api/."""

from django.urls import path

from friends import api

urlpatterns = [
    path("friends", api.FriendsView.as_view()),
    path("friends/<uuid:user_id>", api.FriendView.as_view()),
    path("friend-requests", api.FriendRequestsView.as_view()),
    path("friend-requests/<uuid:request_id>", api.FriendRequestView.as_view()),
    path("friend-requests/<uuid:request_id>/accept", api.AcceptView.as_view()),
    path("friend-requests/<uuid:request_id>/decline", api.DeclineView.as_view()),
]
