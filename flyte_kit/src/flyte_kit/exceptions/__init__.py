"""Errors of the SDK: ``user`` for what the user's code or request has wrong, ``system`` for infrastructure."""
