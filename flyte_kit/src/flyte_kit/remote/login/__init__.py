"""Logins: how a client proves to a control plane who it is.

Nothing of it happens before a control plane asks (UNAUTHENTICATED): one without logins is never bothered.
"""
