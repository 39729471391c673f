"""Appointment reminders."""
