"""Settings of what peers may use of the receiver."""

from vetlla.settings.section import Count, Section, Wait


class Limits(Section):
    """How much of the receiver one peer may use, and how much all peers may use together."""

    connections: Count = 20_000
    """Open connections on all listeners together."""
    connections_per_peer: Count = 1_000
    """Open connections from one address: many homes may share a mobile operator's gateway."""
    idle_timeout_s: Wait = 900
    """Silence after which a connection is closed; it should be longer than the interval of the devices."""
    first_frame_timeout_s: Wait = 30
    """Time a new connection has for its first whole frame."""
    bogus_frames: Count = 10
    """Rejects on one connection before it is closed."""
    rejects_kept_per_peer_per_minute: Count = 60
    """Rejects stored as evidence; further ones are only counted."""
    pending_per_connection: Count = 256
    """Frames of one connection that may wait for their commit before reading pauses."""
    intake_waiting: Count = 50_000
    """Signals of all connections that may wait for their commit (a frame may hold several) before reading pauses."""
    drain_deadline_s: Wait = 10
    """Time in which a stopping receiver commits and answers what it has read."""
