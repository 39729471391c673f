"""An invoice as Facturae 3.2.2, the XML format that Spanish public bodies take: written, signed, checked and read.

lxml and signxml come with the extra ``vetlla[invoice]``. Only ``tree`` and ``xades`` import them, and functions import
these two when they are called.
"""
