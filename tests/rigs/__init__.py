"""Common parts of the tests: receivers, homes, brokers, terminals and clocks."""
