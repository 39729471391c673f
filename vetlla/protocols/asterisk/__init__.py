"""Spool files of Asterisk's AlarmReceiver()."""
