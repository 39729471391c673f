"""The calls in the registry: what files said, append-only, and the ties to homes and alarms."""
