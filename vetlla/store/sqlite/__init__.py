"""Files of databases: migrations, locks, owners, disk space."""
