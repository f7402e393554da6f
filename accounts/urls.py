"""Pages about one's own log-in, below the admin's address."""

from django.urls import path

from accounts import views

urlpatterns = [
    path("code/", views.ask_code, name="second_factor"),
    path("set-up/", views.set_up, name="set_up_second_factor"),
    path("", views.my_log_in, name="my_log_in"),
]
