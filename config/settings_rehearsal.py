"""Settings of `manage.py rehearse`: the real ones, and some messages are delivered twice."""

from config.settings import *  # noqa: F403 - a rehearsal is the real settings with one change

CELERY_IMPORTS = ("integration.management.rehearsal.doubled_messages",)
