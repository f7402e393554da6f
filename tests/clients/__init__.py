"""Tests of the telephones."""
