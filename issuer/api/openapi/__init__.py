"""The OpenAPI 3.1 document, from the same rows that the router reads."""

from issuer.api.openapi.document import document, get_openapi

__all__ = ["document", "get_openapi"]
