"""HTML pages as PDF, by WeasyPrint. Only this module knows it, because only ``vetlla[pdf]`` installs it."""

from __future__ import annotations

from vetlla.domain.errors import UsageError

_VARIANT = "pdf/ua-1"
"""PDF with tags and a language, so that a screen reader can read it (ISO 14289-1)."""
_NATIVE = "apt-get install libpango-1.0-0 libpangoft2-1.0-0"


def pdf(page: str) -> bytes:
    """Return an HTML page as PDF; nothing that it names is fetched. Raises UsageError if WeasyPrint is missing."""
    try:
        import weasyprint  # noqa: PLC0415 - an extra, and it takes a second to import
        from weasyprint.urls import URLFetcher  # noqa: PLC0415
    except ImportError as error:
        raise UsageError(
            "PDF needs WeasyPrint, which is not installed",
            remedy="pip install 'vetlla[pdf]', or write .html and print it with a browser",
        ) from error
    except OSError as error:
        raise UsageError(f"PDF needs the library Pango: {error}", remedy=_NATIVE) from error
    made = weasyprint.HTML(string=page, url_fetcher=URLFetcher(allowed_protocols=())).write_pdf(pdf_variant=_VARIANT)
    return bytes(made)
