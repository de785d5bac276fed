"""The messages of the wire, under the names that flytekit has for its models of them."""
