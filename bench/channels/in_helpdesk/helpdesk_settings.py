"""Settings of a django-helpdesk as it comes, on a PostgreSQL that the environment names."""

from __future__ import annotations

import os
from pathlib import Path

_HOME = Path(os.environ["HELPDESK_HOME"])

SECRET_KEY = "of nothing but a measurement"
DEBUG = False  # with it, Django would remember every query
USE_TZ = True
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "helpdesk_urls"
MEDIA_ROOT = str(_HOME / "media")
MEDIA_URL = "/media/"
STATIC_URL = "/static/"
SITE_ID = 1
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"  # its notices cost it nothing
DEFAULT_FROM_EMAIL = "help@desk.example"
HELPDESK_TEAMS_MODE_ENABLED = False

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.sites",
    "django.contrib.staticfiles",
    "rest_framework",
    "helpdesk",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["HELPDESK_DB_NAME"],
        "HOST": os.environ["HELPDESK_DB_HOST"],
        "PORT": os.environ["HELPDESK_DB_PORT"],
        "USER": os.environ["HELPDESK_DB_USER"],
        "PASSWORD": os.environ["HELPDESK_DB_PASSWORD"],
    }
}
