"""A stand-in for PowerOffice Go: a stranger in its own process, reached over HTTP only. Start with `control.py`."""
