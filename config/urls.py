"""One door for people, the admin; two for those who watch from outside."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("", include("config.health")),
    path("admin/my-log-in/", include("accounts.urls")),
    path("admin/reports/", include("integration.admin.reports")),
    path("admin/", admin.site.urls),
]
