"""The object identifiers that rcmon knows, in dotted form, each once.

Those of the attribute types in names stand in `rcmon.access.names.attribute_types`, with their names.
"""

SUBJECT_KEY_IDENTIFIER = "2.5.29.14"
KEY_USAGE = "2.5.29.15"
SUBJECT_ALT_NAME = "2.5.29.17"
ISSUER_ALT_NAME = "2.5.29.18"
BASIC_CONSTRAINTS = "2.5.29.19"
CRL_NUMBER = "2.5.29.20"
DELTA_CRL_INDICATOR = "2.5.29.27"
ISSUING_DISTRIBUTION_POINT = "2.5.29.28"
CERTIFICATE_POLICIES = "2.5.29.32"
AUTHORITY_KEY_IDENTIFIER = "2.5.29.35"
EXTENDED_KEY_USAGE = "2.5.29.37"
FRESHEST_CRL = "2.5.29.46"
AC_TARGETING = "2.5.29.55"
NO_REV_AVAIL = "2.5.29.56"
"""Extensions of certificates, revocation lists and attribute certificates (RFC 5280, RFC 5755)."""

PROXY_CERT_INFO = "1.3.6.1.5.5.7.1.14"
INHERIT_ALL = "1.3.6.1.5.5.7.21.1"
LIMITED = "1.3.6.1.4.1.3536.1.1.1.9"
"""Of proxies: the extension, and its policies that are taken (RFC 3820). Globus' limited one lets the bearer
move data and look, but start nothing."""

VOMS_EXTENSION = "1.3.6.1.4.1.8005.100.100.5"
VOMS_FQANS = "1.3.6.1.4.1.8005.100.100.4"
VOMS_CERTIFICATES = "1.3.6.1.4.1.8005.100.100.10"
VOMS_GENERIC_ATTRIBUTES = "1.3.6.1.4.1.8005.100.100.11"
"""Of VOMS (OGF GFD.182)."""

RSA_SHA256 = "1.2.840.113549.1.1.11"
RSA_SHA384 = "1.2.840.113549.1.1.12"
RSA_SHA512 = "1.2.840.113549.1.1.13"
ECDSA_SHA256 = "1.2.840.10045.4.3.2"
ECDSA_SHA384 = "1.2.840.10045.4.3.3"
ECDSA_SHA512 = "1.2.840.10045.4.3.4"
ED25519 = "1.3.101.112"
ED448 = "1.3.101.113"
"""Signature algorithms that are taken (RFC 4055, RFC 5758, RFC 8410)."""
