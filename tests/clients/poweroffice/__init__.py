"""Tests of the telephone to PowerOffice Go."""
