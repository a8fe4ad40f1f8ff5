"""BALLS: programs evaluated in enclosures that contain the exact value (Arb, by python-flint)."""
