"""The CRC of bytes that stand one behind the other, from the CRCs of each: nothing is read again.

CRC-32 is linear over GF(2): the CRC of `a + b` is that of `a`, times x to the power of the bits of `b`,
modulo the polynomial, and the CRC of `b` added (crc32_combine of zlib, which Python does not offer).
"""

import functools

_POLYNOMIAL = 0xEDB88320
"""Of CRC-32, its lowest bit the highest power, as CRCs are written too."""
_ONE = 1 << 31
_BYTE = 256


def _times(a: int, b: int) -> int:
    """Multiply modulo the polynomial."""
    product, bit = 0, _ONE
    while True:
        if a & bit:
            product ^= b
            if not a & (bit - 1):
                return product
        bit >>= 1
        b = (b >> 1) ^ _POLYNOMIAL if b & 1 else b >> 1


@functools.cache
def _powers() -> tuple[tuple[int, ...], ...]:
    """Give x**(8 * digit * 256**place) by place and digit."""
    places, base = [], 1 << 23  # x**8: one byte
    for _ in range(4):
        digits = [_ONE]
        for _ in range(_BYTE):
            digits.append(_times(digits[-1], base))
        base = digits.pop()
        places.append(tuple(digits))
    return tuple(places)


def followed(crc: int, behind: int, size: int) -> int:
    """Give the CRC of bytes with CRC `crc` and, behind them, `size` bytes (below 4 GiB) with CRC `behind`."""
    for digits in _powers():
        size, digit = divmod(size, _BYTE)
        if digit and crc:
            crc = _times(digits[digit], crc)
        if not size:
            break
    return crc ^ behind
