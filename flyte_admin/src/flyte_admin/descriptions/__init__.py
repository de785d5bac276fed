"""Descriptions of entities: what their authors say of them."""
