"""The REST gateway: every route comes from the ``google.api.http`` options of the services' descriptors."""
