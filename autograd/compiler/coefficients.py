"""Which numbers do our own elementary functions compute with? Native code and the pages of the stepper read them here.

The polynomials pass through the function at Chebyshev's points, computed with 60 digits; the highest power comes first.
Numbers are reduced as in Cody and Waite, Software Manual for the Elementary Functions, 1980: a constant is split in
two, of which the first has so few bits that its products with a whole number are exact.
"""

# Exponentials: exp(x) = 2**n * exp(r) with n whole and |r| <= log(2) / 2; and exp(r) = 1 + r + r**2 * SQUARE(r).
LOG2_HIGH, LOG2_LOW, PER_LOG2 = 0.6931471803691238, 1.9082149292705877e-10, 1.4426950408889634
SQUARE = (
    2.510038549551032e-08, 2.7620088445409746e-07, 2.7557268459997064e-06, 2.4801521295954376e-05,
    0.00019841269863053618, 0.0013888888917213717, 0.008333333333330062, 0.04166666666662413, 0.16666666666666669,
    0.5000000000000001,
)  # fmt: skip

# Error functions: up to 3/4, erf(x) = x + x * ERF(x**2). Beyond, erfc(x) = exp(-x**2) * ERFC(t) / (1 + 2x) with
# t = (x - 4) / (x + 4), after Shepherd and Laframboise, Mathematics of Computation 36, 1981.
ERF = (
    1.1471982626262433e-08, -1.5939928608120978e-07, 1.6430668513426108e-06, -1.4924195325647666e-05,
    0.00012055289530626987, -0.0008548326187902369, 0.005223977615408468, -0.026866170644427513, 0.11283791670952592,
    -0.37612638903183715, 0.1283791670955126,
)  # fmt: skip
ERFC = (
    6.790952920910921e-08, 3.753909227160208e-08, -7.682454898252699e-07, 3.3007341727249457e-07,
    5.666775088711853e-06, -1.1242406989362528e-05, -2.4379750879287003e-05, 0.00015062875608271576,
    -0.00019926218230178477, -0.0007577748391502397, 0.0050319709361982485, -0.016197733847711605,
    0.03716751543788365, -0.0663303658288144, 0.09373283500399485, -0.10103906603562897, 0.06809705425454694,
    0.015379652102608938, -0.13962111684056142, 1.2329951186255526,
)  # fmt: skip
