"""The character strings of names in certificates (X.520 DirectoryString and kin): DER to text and back."""

UTF8_STRING = 0x0C

ENCODINGS = {
    UTF8_STRING: "utf-8",
    0x12: "ascii",  # NumericString
    0x13: "ascii",  # PrintableString
    0x14: "latin-1",  # TeletexString, as OpenSSL and the authorities that used it take it
    0x16: "ascii",  # IA5String
    0x1A: "ascii",  # VisibleString
    0x1C: "utf-32-be",  # UniversalString
    0x1E: "utf-16-be",  # BMPString
}
"""What each string type is written in, by tag."""

_SHORT_LENGTH = 0x80


def decode(tag: int, content: bytes) -> str:
    """Turn the content of a string to text. Raises ValueError for another tag and for wrong bytes."""
    encoding = ENCODINGS.get(tag)
    if encoding is None:
        raise ValueError(f"tag 0x{tag:02x} is no character string")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise ValueError(f"{content[:40]!r} is not {encoding}") from error


def encode(text: str) -> bytes:
    """Write text as a UTF8String with its header."""
    content = text.encode()
    length = bytes([len(content)])
    if len(content) >= _SHORT_LENGTH:
        octets = len(content).to_bytes((len(content).bit_length() + 7) // 8)
        length = bytes([_SHORT_LENGTH + len(octets)]) + octets
    return bytes([UTF8_STRING]) + length + content
