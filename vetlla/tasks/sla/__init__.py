"""What the office does about service levels: computes the figures of a month, and says where each one comes from."""
