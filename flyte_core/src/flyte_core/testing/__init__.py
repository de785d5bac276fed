"""What plane and plugin authors test with: fakes of the ports, and one conformance suite per hook group."""
