# mypy: ignore-errors
"""Addresses of a django-helpdesk; its notices contain them."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [path("admin/", admin.site.urls), path("", include("helpdesk.urls"))]
