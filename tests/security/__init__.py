"""Probes, each named after the requirement of OWASP ASVS 5.0.0 that it tries: `test_v3_4_3_...` is V3.4.3."""
