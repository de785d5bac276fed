"""Bridges between Python types and literals, one module per family.

What every program needs is registered by ``builtin``; the rest is loaded when the user's code imports its library.
"""
