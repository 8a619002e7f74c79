"""Masks of one bit a pixel: 64 pixels are looked at, widened or narrowed at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled

#: Pixels of a word; the first of them is its lowest bit.
PIXELS = 64
#: Nothing, the lowest bit, and all.
NONE, ONE, ALL = np.uint64(0), np.uint64(1), np.uint64(0xFFFFFFFFFFFFFFFF)
_LAST = np.uint64(PIXELS - 1)
#: Multiplied with eight bytes of 0 or 1, its product has them as bits of the highest byte.
_GATHER, _HIGHEST = np.uint64(0x0102040810204080), np.uint64(56)
#: One bit of each byte in turn, and what carries it into that byte's highest.
_EACH, _CARRY = np.uint64(0x8040201008040201), np.uint64(0x7F7F7F7F7F7F7F7F)
_BYTE, _BYTES, _TOP = np.uint64(0xFF), np.uint64(0x0101010101010101), np.uint64(7)
#: Product of this with a single bit tells in its highest six bits which bit it is (de Bruijn).
_WHICH, _SIX = np.uint64(0x03F79D71B4CB0A89), np.uint64(58)
_PLACE = np.array([(int(_WHICH) << bit & int(ALL)) >> int(_SIX) for bit in range(PIXELS)])
_BIT_OF = np.argsort(_PLACE)


@compiled
def pack_row(eights: NDArray[np.uint64], row: NDArray[np.uint64]) -> None:
    """Turn bytes of 0 or 1 into bits.

    Parameters
    ----------
    eights
        (8 n,) the bytes, eight of them each.
    row
        (n,) gets the bits.
    """
    for word in range(len(row)):
        part = eights[8 * word : 8 * word + 8]
        found = part[0] | part[1] | part[2] | part[3] | part[4] | part[5] | part[6] | part[7]
        bits = NONE
        # Most of a picture is bare.
        if found != NONE:
            for byte in range(8):
                own = (part[byte] * _GATHER) >> _HIGHEST
                bits |= own << np.uint64(8 * byte)
        row[word] = bits


@compiled
def unpack_word(bits: np.uint64, eights: NDArray[np.uint64]) -> None:
    """Turn 64 bits into as many bytes of 0 or 1, (8,) of eight each."""
    for byte in range(8):
        own = (bits >> np.uint64(8 * byte)) & _BYTE
        eights[byte] = (((own * _BYTES) & _EACH) + _CARRY) >> _TOP & _BYTES


@compiled
def lowest_bit(bits: np.uint64) -> int:
    """Place of the lowest bit that is set, of at least one."""
    alone = bits & (~bits + ONE)
    return int(_BIT_OF[(alone * _WHICH) >> _SIX])


def empty_mask(shape: tuple[int, ...]) -> NDArray[np.uint64]:
    """A mask of a picture, a bit a pixel, with a rim of one row or word on every side."""
    height, width = shape
    return np.zeros((height + 2, (width + PIXELS - 1) // PIXELS + 2), np.uint64)


@compiled
def close_gaps(
    mask: NDArray[np.uint64], width: int, wide: NDArray[np.uint64], closed: NDArray[np.uint64]
) -> None:
    """Close a mask with a cross of 3 × 3 pixels: widen it by one pixel, then narrow it.

    Loops go over all rows as over one long one, which costs less than many short ones: what that
    does to the rim is put right.

    Parameters
    ----------
    mask
        From `empty_mask`; none set beyond the width.
    width
        Of the picture.
    wide, closed
        As large: room to work in, and what gets the result, none set beyond the picture.
    """
    pitch = mask.shape[1]
    beyond = NONE if width % PIXELS == 0 else ALL << np.uint64(width % PIXELS)
    _widen(mask.ravel(), pitch, wide.ravel())
    # What lies beyond the border takes nothing away.
    wide[0], wide[-1], wide[:, 0], wide[:, -1] = ALL, ALL, ALL, ALL
    wide[:, -2] |= beyond
    _narrow(wide.ravel(), pitch, closed.ravel())
    closed[0], closed[-1], closed[:, 0], closed[:, -1] = NONE, NONE, NONE, NONE
    closed[:, -2] &= ~beyond


@compiled
def _widen(mask: NDArray[np.uint64], pitch: int, result: NDArray[np.uint64]) -> None:
    number = len(mask) - 2 * pitch
    own, above, below = mask[pitch : pitch + number], mask[:number], mask[2 * pitch :]
    before, after = mask[pitch - 1 :], mask[pitch + 1 :]
    inner = result[pitch : pitch + number]
    for word in range(number):
        left, right = own[word] << ONE | before[word] >> _LAST, own[word] >> ONE
        inner[word] = own[word] | left | right | after[word] << _LAST | above[word] | below[word]


@compiled
def _narrow(mask: NDArray[np.uint64], pitch: int, result: NDArray[np.uint64]) -> None:
    number = len(mask) - 2 * pitch
    own, above, below = mask[pitch : pitch + number], mask[:number], mask[2 * pitch :]
    before, after = mask[pitch - 1 :], mask[pitch + 1 :]
    inner = result[pitch : pitch + number]
    for word in range(number):
        left, right = own[word] << ONE | before[word] >> _LAST, own[word] >> ONE
        right |= after[word] << _LAST
        inner[word] = own[word] & left & right & above[word] & below[word]
