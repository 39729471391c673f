"""Tests of probes that reach real receivers, brokers and servers."""
