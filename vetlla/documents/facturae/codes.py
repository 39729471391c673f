"""Names, codes and lengths of Facturae 3.2.2 (https://www.facturae.gob.es, official schema beside this file)."""

from __future__ import annotations

from typing import Final

NAMESPACE: Final = "http://www.facturae.gob.es/formato/Versiones/Facturaev3_2_2.xml"
VERSION: Final = "3.2.2"
ROOT: Final = f"{{{NAMESPACE}}}Facturae"
DS: Final = "http://www.w3.org/2000/09/xmldsig#"
XADES: Final = "http://uri.etsi.org/01903/v1.3.2#"

VAT: Final = "01"
"""TaxTypeCode: value added tax."""
TRANSFER: Final = "04"
"""PaymentMeans: credit transfer."""
UNITS: Final = "01"
"""UnitOfMeasure: units. The table has no day of a home and no month of a device."""
DIFFERENCES: Final = "02"
WHOLE: Final = "01"
METHODS: Final = {WHOLE: "Rectificación íntegra", DIFFERENCES: "Rectificación por diferencias"}
"""CorrectionMethod of the two kinds of corrective invoice (RD 1619/2012, article 15.5)."""

ACCOUNTING, MANAGING, PROCESSING = "01", "02", "03"
"""RoleTypeCode: *oficina contable*, *órgano gestor* and *unidad tramitadora* (Orden HAP/1074/2014, annex)."""

REASONS: Final = {
    "01": "Número de la factura",
    "02": "Serie de la factura",
    "03": "Fecha expedición",
    "04": "Nombre y apellidos/Razón Social-Emisor",
    "05": "Nombre y apellidos/Razón Social-Receptor",
    "06": "Identificación fiscal Emisor/obligado",
    "07": "Identificación fiscal Receptor",
    "08": "Domicilio Emisor/Obligado",
    "09": "Domicilio Receptor",
    "10": "Detalle Operación",
    "11": "Porcentaje impositivo a aplicar",
    "12": "Cuota tributaria a aplicar",
    "13": "Fecha/Periodo a aplicar",
    "14": "Clase de factura",
    "15": "Literales legales",
    "16": "Base imponible",
    "80": "Cálculo de cuotas repercutidas",
    "81": "Cálculo de cuotas retenidas",
    "82": "Base imponible modificada por devolución de envases / embalajes",
    "83": "Base imponible modificada por descuentos y bonificaciones",
    "84": "Base imponible modificada por resolución firme, judicial o administrativa",
    "85": "Base imponible modificada cuotas repercutidas no satisfechas. Auto de declaración de concurso",
}
"""ReasonCode of a correction with the only text that the schema takes for it."""

SERVICES: Final = ("essential", "agendas", "umo", "home_safety", "mimal", "integrated", "ans_reduction", "deduction")
_RENT: Final = "rent."
RENTS: Final = (
    "terminal_analog",
    "terminal_digital",
    "smoke",
    "gas",
    "passivity",
    "door",
    "geolocator",
    "fall_ucr",
    "oral",
    "smartwatch",
    "remote_fall",
    "voice_extender",
    "choice",
)
"""Lines of rent; ``price.rent.LINE`` are their parameters."""

POLICY_URL: Final = (
    "http://www.facturae.es/politica_de_firma_formato_facturae/politica_de_firma_formato_facturae_v3_1.pdf"
)
POLICY_NAME: Final = "Política de Firma FacturaE v3.1"
POLICY_SHA1: Final = "Ohixl6upD6av8N7pEvDABhEL6hM="
"""Digest of the PDF at ``POLICY_URL``. AutoFirma, the State's own signing program, has the same address and digest."""


def article(concept: str) -> str:
    """Return a concept's ArticleCode: the field takes 20 characters, so a rent goes without its ``rent.``."""
    return concept.removeprefix(_RENT)


def concept_of(code: str) -> str:
    """Return the concept of an ArticleCode, or an empty text if the code is none of ours."""
    if code in SERVICES:
        return code
    return _RENT + code if code in RENTS else ""
