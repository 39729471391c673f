"""Tests of invoices in Facturae."""
