"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# Machines are noisy: no example fails for being slow. What would hang is ended by pytest's own timeout.
settings.register_profile("attendant", deadline=None)
settings.load_profile("attendant")
