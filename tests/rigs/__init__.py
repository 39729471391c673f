"""What tests share: receivers, homes, brokers, terminals and clocks to test with."""
