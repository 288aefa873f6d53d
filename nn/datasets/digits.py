"""What do the handwritten digits look like as numbers?  1,797 images of 8x8 grey pixels.

The images are real: 13 people wrote the digits on forms, programs by NIST cut them out as bitmaps
of 32x32 dots, and the number of dark dots in each 4x4 block became one pixel from 0 to 16.
`digits.LICENSE.md` says whose data they are. `shapes.py` has data sets made by a formula.
"""

import gzip
from importlib.resources import files

from nn.datasets.dataset import Dataset

DESCRIPTION = """\
Handwritten digits
1,797 real images of 8x8 pixels, the test set of
"Optical Recognition of Handwritten Digits" by E. Alpaydin and C. Kaynak (1998), UCI Machine
Learning Repository, https://doi.org/10.24432/C50P49, licence CC BY 4.0.
Each row is one image: 64 grey values from 0 (paper) to 1 (ink), row by row from the top left.
The target is the digit that was written."""

IMAGE_SIDE = 8
DARKEST = 16


def load_digits() -> Dataset:
    """1,797 handwritten digits to tell apart, from the UCI Machine Learning Repository.

    Returns:
        A `Dataset` with `X` of shape 1797 x 64, pixels in 0..1 (sixteenths), and `y` the digits
        0..9 as ints. Every call returns fresh lists, so changing them harms nobody.

    Example:
        >>> digits = load_digits()
        >>> digits
        <Dataset: 1797 samples, 64 features, 10 classes: Handwritten digits>
        >>> digits.y[:10]
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
        >>> first = "".join(".-+*#"[int(4 * ink)] for ink in digits.X[0])
        >>> print("\\n".join(first[start : start + 8] for start in range(0, 64, 8)))
        ..-*+...
        ..**+*-.
        ..*..++.
        .-*..++.
        .-+..++.
        .-+..*-.
        ..*-+*..
        ..-*+...
    """
    packed = (files("nn.datasets") / "digits.csv.gz").read_bytes()
    # Sixteenths are exact in binary, so dividing loses nothing; looking them up is faster.
    scaled = {str(ink): ink / DARKEST for ink in range(DARKEST + 1)}
    X, y = [], []
    for line in gzip.decompress(packed).decode("ascii").splitlines():
        *pixels, digit = line.split(",")
        X.append([scaled[pixel] for pixel in pixels])
        y.append(int(digit))
    side = range(IMAGE_SIDE)
    pixel_names = [f"pixel_{row}_{column}" for row in side for column in side]
    return Dataset(X, y, pixel_names, [str(digit) for digit in range(10)], DESCRIPTION)
