"""The names of the attribute types in distinguished names, and their object identifiers."""

COMMON_NAME = "2.5.4.3"
NAMES = {
    COMMON_NAME: "CN",
    "2.5.4.4": "SN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "street",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.12": "title",
    "2.5.4.13": "description",
    "2.5.4.15": "businessCategory",
    "2.5.4.17": "postalCode",
    "2.5.4.41": "name",
    "2.5.4.42": "GN",
    "2.5.4.43": "initials",
    "2.5.4.44": "generationQualifier",
    "2.5.4.45": "x500UniqueIdentifier",
    "2.5.4.46": "dnQualifier",
    "2.5.4.65": "pseudonym",
    "2.5.4.97": "organizationIdentifier",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.3": "mail",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "emailAddress",
    "1.2.840.113549.1.9.2": "unstructuredName",
}
"""By object identifier, as OpenSSL prints them."""

_ALIASES = {
    "commonName": COMMON_NAME,
    "surname": "2.5.4.4",
    "countryName": "2.5.4.6",
    "localityName": "2.5.4.7",
    "S": "2.5.4.8",
    "stateOrProvinceName": "2.5.4.8",
    "streetAddress": "2.5.4.9",
    "organizationName": "2.5.4.10",
    "organizationalUnitName": "2.5.4.11",
    "T": "2.5.4.12",
    "givenName": "2.5.4.42",
    "userId": "0.9.2342.19200300.100.1.1",
    "rfc822Mailbox": "0.9.2342.19200300.100.1.3",
    "domainComponent": "0.9.2342.19200300.100.1.25",
    "E": "1.2.840.113549.1.9.1",
    "Email": "1.2.840.113549.1.9.1",
}
"""Other names that people and tools write."""

_BY_NAME = {name.lower(): oid for oid, name in NAMES.items()} | {
    name.lower(): oid for name, oid in _ALIASES.items()
}


def oid_of(name: str) -> str:
    """Return the object identifier an attribute type is written for: a name in any case, or dotted digits.

    Raises ValueError for a name that is not known.
    """
    dotted = name[4:] if name[:4].upper() == "OID." else name
    if dotted[:1].isdigit():
        return dotted
    oid = _BY_NAME.get(name.lower())
    if oid is None:
        raise ValueError(f"unknown attribute type {name!r}; known are {', '.join(NAMES.values())}")
    return oid
