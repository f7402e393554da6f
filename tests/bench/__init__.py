"""Benchmarks: `make bench`, or `python -m tests.bench NAME ...`. One JSON line per figure, compared within one run."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()
