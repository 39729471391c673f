"""Other people's systems, one file each: their bytes and bounds, and no rule of ours."""
