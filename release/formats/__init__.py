"""Formats that release/repack writes from the archives of a release."""
