"""Gradients of finance, optics, robotics, statistics, physics and others, and the mistakes that people make there."""

import math
from typing import Any

import numpy as np

from tests.autograd.testing.foreign import precise
from tests.autograd.testing.foreign.case import Problem
from tests.autograd.testing.foreign.precise import erf, log_gamma

rng = np.random.default_rng(71)
PROBLEMS: list[Problem] = []


def problem(name: str, f: Any, df: Any, point: Any, **bugs: Any) -> None:
    """One more; what is wrong with a bug is its keyword, with spaces for the underscores."""
    PROBLEMS.append(Problem(name, f, df, point, {bug.replace("_", " "): wrong for bug, wrong in bugs.items()}))


def normal(*shape: int) -> Any:
    return rng.normal(size=shape).round(3)


# Finance


def normal_cdf(x: Any) -> Any:
    return (1 + erf(x / np.sqrt(2.0 + 0 * x))) / 2


def normal_density(x: Any) -> Any:
    return np.exp(-x * x / 2) / np.sqrt(2 * np.pi)


STRIKE, YEARS = 100.0, 0.5


def d_plus(spot: Any, volatility: Any, rate: Any) -> Any:
    return (np.log(spot / STRIKE) + (rate + volatility**2 / 2) * YEARS) / (volatility * np.sqrt(YEARS))


def call_price(spot: Any, volatility: Any, rate: Any) -> Any:
    d = d_plus(spot, volatility, rate)
    discounted = STRIKE * np.exp(-rate * YEARS)
    return spot * normal_cdf(d) - discounted * normal_cdf(d - volatility * np.sqrt(YEARS))


def greeks(spot: float, volatility: float, rate: float, root: float = np.sqrt(YEARS)) -> tuple[Any, Any, Any]:
    d = d_plus(spot, volatility, rate)
    rho = STRIKE * YEARS * np.exp(-rate * YEARS) * normal_cdf(d - volatility * np.sqrt(YEARS))
    return normal_cdf(d), spot * normal_density(d) * root, rho


problem(
    "Black-Scholes: delta, vega, rho",
    call_price,
    greeks,
    (105.0, 0.2, 0.03),
    vega_without_the_root_of_time=lambda *x: greeks(*x, root=1.0),
    rho_of_the_put=lambda s, v, r: (
        *greeks(s, v, r)[:2],
        greeks(s, v, r)[2] - STRIKE * YEARS * np.exp(-r * YEARS),
    ),
)

years = np.arange(1.0, 8.0)
payments = np.array([4.0] * 6 + [104.0])
problem(
    "price of a bond by its yield",
    lambda y: (payments / (1 + y) ** years).sum(),
    lambda y: -(years * payments / (1 + y) ** (years + 1)).sum(),
    0.035,
    Macaulay_in_place_of_modified_duration=lambda y: -(years * payments / (1 + y) ** years).sum(),
)

factor = normal(4, 4)
covariance = factor @ factor.T + np.eye(4)
problem(
    "volatility of a portfolio",
    lambda w: np.sqrt(w @ covariance @ w),
    lambda w: covariance @ w / np.sqrt(w @ covariance @ w),
    np.array([0.4, 0.3, 0.2, 0.1]),
    derivative_of_the_variance=lambda w: 2 * covariance @ w,
    correlations_dropped=lambda w: np.diag(covariance) * w / np.sqrt(w @ covariance @ w),
)

returns = normal(40, 3)


def shortfall(w: Any) -> Any:
    """The mean of the worst tenth."""
    return -np.sort(returns @ w)[:4].mean()


def shortfall_gradient(w: Any, count: int = 4) -> Any:
    return -returns[np.argsort(returns @ w)[:count]].mean(axis=0)


problem(
    "expected shortfall",
    shortfall,
    shortfall_gradient,
    np.array([0.5, 0.3, 0.2]),
    one_of_the_worst_left_out=lambda w: shortfall_gradient(w, count=3),
)

problem(
    "growth of a gambler's fortune",
    lambda share: 0.55 * np.log(1 + share) + 0.45 * np.log(1 - share),
    lambda share: 0.55 / (1 + share) - 0.45 / (1 - share),
    0.07,
    the_inner_derivative_forgotten=lambda share: 0.55 / (1 + share) + 0.45 / (1 - share),
)


# Optics

GLASS = 1.52


def fresnel(angle: Any) -> Any:
    """The reflected part of light polarised across the plane of incidence."""
    inside = np.sqrt(GLASS**2 - np.sin(angle) ** 2)
    return ((np.cos(angle) - inside) / (np.cos(angle) + inside)) ** 2


def fresnel_gradient(angle: float, refracted: float = 1.0) -> float:
    inside = np.sqrt(GLASS**2 - np.sin(angle) ** 2)
    r = (np.cos(angle) - inside) / (np.cos(angle) + inside)
    slope = -refracted * np.sin(angle) * np.cos(angle) / inside
    rise = -np.sin(angle) * inside - np.cos(angle) * slope
    return 2 * r * 2 * rise / (np.cos(angle) + inside) ** 2


problem(
    "Fresnel's reflectance",
    fresnel,
    fresnel_gradient,
    0.9,
    the_refracted_ray_held_fixed=lambda angle: fresnel_gradient(angle, refracted=0.0),
)


def thin_film(thickness: Any, wavelength: Any) -> Any:
    """A film of index 1.38 on glass, light at right angles."""
    r, s = (1 - 1.38) / (1 + 1.38), (1.38 - GLASS) / (1.38 + GLASS)
    c = np.cos(4 * np.pi * 1.38 * thickness / wavelength)
    return (r * r + s * s + 2 * r * s * c) / (1 + (r * s) ** 2 + 2 * r * s * c)


def thin_film_gradient(thickness: float, wavelength: float, passes: float = 2.0) -> tuple[float, float]:
    r, s = (1 - 1.38) / (1 + 1.38), (1.38 - GLASS) / (1.38 + GLASS)
    phase = 4 * np.pi * 1.38 * thickness / wavelength
    c = np.cos(phase)
    below = 1 + (r * s) ** 2 + 2 * r * s * c
    by_c = 2 * r * s * (below - (r * r + s * s + 2 * r * s * c)) / below**2
    by_phase = -np.sin(phase) * by_c
    return by_phase * 2 * passes * np.pi * 1.38 / wavelength, -by_phase * phase / wavelength


problem(
    "reflectance of a thin film, in nanometres",
    thin_film,
    thin_film_gradient,
    (100.0, 500.0),
    the_way_back_through_the_film_forgotten=lambda *x: thin_film_gradient(*x, passes=1.0),
)


def lens(n: Any, front: Any, back: Any, thick: Any) -> Any:
    """The power of a thick lens, in dioptres."""
    return (n - 1) * (1 / front - 1 / back + (n - 1) * thick / (n * front * back))


def lens_gradient(n: float, front: float, back: float, thick: float) -> list[float]:
    m = n - 1
    return [
        1 / front - 1 / back + thick / (front * back) * (2 * m * n - m * m) / n**2,
        -m / front**2 - m * m * thick / (n * front**2 * back),
        m / back**2 - m * m * thick / (n * front * back**2),
        m * m / (n * front * back),
    ]


problem(
    "the lens maker's equation",
    lens,
    lens_gradient,
    (GLASS, 0.1, -0.2, 0.004),
    the_sign_of_the_back_surface=lambda *x: [g if k != 2 else -g for k, g in enumerate(lens_gradient(*x))],
    thickness_ignored=lambda n, a, b, t: [
        1 / a - 1 / b,
        -(n - 1) / a**2,
        (n - 1) / b**2,
        lens_gradient(n, a, b, t)[3],
    ],
)


def beam_width(z: Any, waist: Any, wavelength: Any = 633e-9) -> Any:
    return waist * np.sqrt(1 + (z * wavelength / (np.pi * waist**2)) ** 2)


def beam_gradient(z: float, waist: float, wavelength: float = 633e-9) -> tuple[float, float]:
    t = wavelength / (np.pi * waist**2)
    spread = np.sqrt(1 + (z * t) ** 2)
    return waist * z * t * t / spread, spread - 2 * (z * t) ** 2 / spread


problem(
    "width of a Gaussian beam, in metres",
    beam_width,
    beam_gradient,
    (1.5, 4e-4),
    the_Rayleigh_length_held_fixed=lambda z, w: (beam_gradient(z, w)[0], beam_width(z, w) / w),
)

problem(
    "angle of refraction by Snell's law",
    lambda angle, n: np.arcsin(np.sin(angle) / n),
    lambda angle, n: (
        np.cos(angle) / np.sqrt(n * n - np.sin(angle) ** 2),
        -np.sin(angle) / (n * np.sqrt(n * n - np.sin(angle) ** 2)),
    ),
    (0.8, 1.33),
    arcsin_without_its_inner_derivative=lambda angle, n: (
        n / np.sqrt(n * n - np.sin(angle) ** 2),
        -np.sin(angle) / (n * np.sqrt(n * n - np.sin(angle) ** 2)),
    ),
)


# Robotics

links = np.array([1.0, 0.8, 0.5])


def hand(joints: Any) -> Any:
    """Where the hand of an arm in a plane is."""
    angles = np.cumsum(joints)
    return np.array([links @ np.cos(angles), links @ np.sin(angles)])


def hand_jacobian(joints: Any) -> Any:
    angles = np.cumsum(joints)
    rows = np.array([-links * np.sin(angles), links * np.cos(angles)])
    return np.cumsum(rows[:, ::-1], axis=1)[:, ::-1]


problem(
    "Jacobian of an arm",
    hand,
    hand_jacobian,
    np.array([0.3, 0.7, -0.4]),
    summed_from_the_wrong_end=lambda joints: np.cumsum(
        np.array([-links * np.sin(np.cumsum(joints)), links * np.cos(np.cumsum(joints))]), axis=1
    ),
    a_sign_in_the_first_row=lambda joints: np.array([[-1.0], [1.0]]) * hand_jacobian(joints),
)

target = normal(3)
arm = normal(3)


def rotated(q: Any) -> Any:
    """v turned by a quaternion that need not have the norm 1."""
    w, v = q[0], q[1:]
    return target @ ((w * w - v @ v) * arm + 2 * (v @ arm) * v + 2 * w * np.cross(v, arm)) / (q @ q)


def rotated_gradient(q: Any, normalised: bool = True, sign: float = 1.0) -> Any:
    w, v = q[0], q[1:]
    by_w = target @ (2 * w * arm + 2 * sign * np.cross(v, arm))
    by_v = -2 * v * (target @ arm) + 2 * arm * (target @ v) + 2 * (v @ arm) * target + 2 * w * np.cross(arm, target)
    g = np.array([by_w, *by_v]) / (q @ q)
    return g - 2 * rotated(q) * q / (q @ q) if normalised else g


problem(
    "rotation by a quaternion",
    rotated,
    rotated_gradient,
    normal(4),
    the_norm_is_forgotten=lambda q: rotated_gradient(q, normalised=False),
    a_cross_product_the_other_way=lambda q: rotated_gradient(q, sign=-1.0),
)


def torques(angles: Any, speeds: Any) -> Any:
    """What two links of mass 1 and length 1 need so as not to accelerate."""
    h = np.sin(angles[1])
    return np.array(
        [
            -h * (2 * speeds[0] * speeds[1] + speeds[1] ** 2)
            + 9.81 * (2 * np.cos(angles[0]) + np.cos(angles[0] + angles[1])),
            h * speeds[0] ** 2 + 9.81 * np.cos(angles[0] + angles[1]),
        ]
    )


def torques_jacobian(angles: Any, speeds: Any, coriolis: float = 1.0) -> Any:
    (a, b), (u, v) = angles, speeds
    fall = -9.81 * np.sin(a + b)
    by_angles = [[-19.62 * np.sin(a) + fall, fall - coriolis * np.cos(b) * (2 * u * v + v * v)]]
    by_angles.append([fall, fall + coriolis * np.cos(b) * u * u])
    return np.array(by_angles), np.array([[-2 * np.sin(b) * v, -2 * np.sin(b) * (u + v)], [2 * np.sin(b) * u, 0.0]])


problem(
    "inverse dynamics of two links",
    torques,
    torques_jacobian,
    (np.array([0.5, 1.1]), np.array([0.3, -0.6])),
    no_Coriolis_in_the_angles=lambda *x: torques_jacobian(*x, coriolis=0.0),
)

wanted = np.array([0.4, -0.2, 0.9])


def pose_error(pose: Any) -> Any:
    """Of a body in a plane: the place in its own frame, and the angle."""
    c, s = np.cos(pose[2]), np.sin(pose[2])
    x, y = wanted[0] - pose[0], wanted[1] - pose[1]
    return (c * x + s * y) ** 2 + 4 * (c * y - s * x) ** 2 + (pose[2] - wanted[2]) ** 2


def pose_gradient(pose: Any, turns: float = 1.0) -> Any:
    c, s = np.cos(pose[2]), np.sin(pose[2])
    x, y = wanted[:2] - pose[:2]
    ahead, aside = c * x + s * y, c * y - s * x
    by_angle = turns * (2 * ahead * aside - 8 * aside * ahead) + 2 * (pose[2] - wanted[2])
    return np.array([-2 * ahead * c + 8 * aside * s, -2 * ahead * s - 8 * aside * c, by_angle])


problem(
    "error of a pose",
    pose_error,
    pose_gradient,
    normal(3),
    the_frame_does_not_turn=lambda pose: pose_gradient(pose, turns=0.0),
)


# Statistics


def digamma(x: float) -> float:
    """By its recurrence and its asymptotic series."""
    below = 0.0
    while x < 12:
        below, x = below + 1 / x, x + 1
    series = 1 / 12 - (1 / 120 - (1 / 252 - (1 / 240 - (1 / 132 - 691 / 32760 / x**2) / x**2) / x**2) / x**2) / x**2
    return math.log(x) - 0.5 / x - series / x**2 - below


counts = [3, 0, 7, 2, 4]


def negative_binomial(mean: Any, size: Any) -> Any:
    return sum(
        log_gamma(k + size) - log_gamma(size) + size * np.log(size / (size + mean)) + k * np.log(mean / (size + mean))
        for k in counts
    )


def negative_binomial_gradient(mean: float, size: float, last: float = 1.0) -> tuple[float, float]:
    by_mean = sum(k / mean - (k + size) / (size + mean) for k in counts)
    by_size = sum(
        digamma(k + size) - digamma(size) + np.log(size / (size + mean)) + last - (k + size) / (size + mean)
        for k in counts
    )
    return by_mean, by_size


problem(
    "likelihood of a negative binomial",
    negative_binomial,
    negative_binomial_gradient,
    (2.8, 1.7),
    the_1_of_the_product_rule_forgotten=lambda *x: negative_binomial_gradient(*x, last=0.0),
)

persons = normal(6, 2)
died = np.array([1, 0, 1, 1, 0, 1])


def cox(b: Any) -> Any:
    """The partial likelihood; persons stand in the order of their times."""
    risk = np.exp(persons @ b)
    return sum(d * ((persons @ b)[i] - np.log(risk[i:].sum())) for i, d in enumerate(died))


def cox_gradient(b: Any, at_risk: Any = lambda i: slice(i, None)) -> Any:
    risk = np.exp(persons @ b)
    return sum(
        d * (persons[i] - risk[at_risk(i)] @ persons[at_risk(i)] / risk[at_risk(i)].sum()) for i, d in enumerate(died)
    )


problem(
    "Cox's partial likelihood",
    cox,
    cox_gradient,
    normal(2),
    those_at_risk_are_the_earlier_ones=lambda b: cox_gradient(b, at_risk=lambda i: slice(0, i + 1)),
)

seen = normal(5, 2)


def gaussian(mean: Any, lower: Any) -> Any:
    """By a factor of the covariance: its diagonal, and what is below it."""
    factor = np.array([[lower[0], 0 * lower[0]], [lower[2], lower[1]]])
    z = (seen - mean) @ precise.inverse(factor).T
    return -(z * z).sum() / 2 - 5 * np.log(lower[0] * lower[1])


def gaussian_gradient(mean: Any, lower: Any, diagonal: float = 5.0) -> Any:
    inverse = np.linalg.inv(np.array([[lower[0], 0.0], [lower[2], lower[1]]]))
    z = (seen - mean) @ inverse.T
    by_factor = inverse.T @ z.T @ z
    by_diagonal = np.diag(by_factor) - diagonal / lower[:2]
    return z.sum(axis=0) @ inverse, np.array([*by_diagonal, by_factor[1, 0]])


problem(
    "likelihood of a normal distribution by its Cholesky factor",
    gaussian,
    gaussian_gradient,
    (normal(2), np.array([1.2, 0.8, -0.3])),
    half_the_log_of_the_determinant=lambda *x: gaussian_gradient(*x, diagonal=2.5),
)


def clayton(u: Any, v: Any, theta: Any) -> Any:
    return (u**-theta + v**-theta - 1) ** (-1 / theta)


def clayton_gradient(u: float, v: float, theta: float, powers: float = 1.0) -> tuple[float, float, float]:
    s = u**-theta + v**-theta - 1
    outer = s ** (-1 / theta - 1)
    by_theta = s ** (-1 / theta) * np.log(s) / theta**2
    by_theta += powers * outer / theta * (u**-theta * np.log(u) + v**-theta * np.log(v))
    return outer * u ** (-theta - 1), outer * v ** (-theta - 1), by_theta


problem(
    "Clayton's copula",
    clayton,
    clayton_gradient,
    (0.3, 0.6, 2.0),
    theta_in_the_powers_forgotten=lambda *x: clayton_gradient(*x, powers=0.0),
)

times = np.array([1.2, 0.7, 3.0, 2.2, 3.0])
failed = np.array([1.0, 1, 0, 1, 0])


def weibull(shape: Any, scale: Any) -> Any:
    t = times / scale
    return (failed * (np.log(shape / scale) + (shape - 1) * np.log(t)) - t**shape).sum()


def weibull_gradient(shape: float, scale: float, events: Any = failed) -> tuple[float, float]:
    t = times / scale
    by_shape = (events * (1 / shape + np.log(t)) - t**shape * np.log(t)).sum()
    return by_shape, ((-events + t**shape) * shape / scale).sum()


problem(
    "Weibull's likelihood with censoring",
    weibull,
    weibull_gradient,
    (1.4, 2.1),
    the_censored_counted_as_failed=lambda *x: weibull_gradient(*x, events=np.ones(5)),
)


# Physics, chemistry and others


def lennard_jones(x: Any) -> Any:
    r2 = [((x[i] - x[j]) ** 2).sum() for i in range(3) for j in range(i)]
    return sum(4 * (1 / r**6 - 1 / r**3) for r in r2)


def lennard_jones_gradient(x: Any, power: int = 4) -> Any:
    g = np.zeros_like(x)
    for i in range(3):
        for j in range(i):
            r = ((x[i] - x[j]) ** 2).sum()
            force = 8 * (-6 / r**7 + 3 / r**power) * (x[i] - x[j])
            g[i] += force
            g[j] -= force
    return g


problem(
    "forces of Lennard-Jones's potential",
    lennard_jones,
    lennard_jones_gradient,
    np.array([[0.0, 0.0], [1.1, 0.1], [0.4, 1.3]]),
    a_power_of_the_distance_missing=lambda x: lennard_jones_gradient(x, power=3),
    the_sign_of_forces=lambda x: -lennard_jones_gradient(x),
)


def magnetisation(temperature: Any, field: Any) -> Any:
    """m = tanh((m + field) / temperature), the mean field of Ising's model."""
    m = 0.9 + 0 * temperature
    for _ in range(200):
        m = np.tanh((m + field) / temperature)
    return m


def magnetisation_gradient(temperature: float, field: float, feedback: float = 1.0) -> tuple[float, float]:
    m = magnetisation(temperature, field)
    slope = (1 - m * m) / temperature
    by_field = slope / (1 - feedback * slope)
    return -by_field * (m + field) / temperature, by_field


problem(
    "mean field of Ising's model",
    magnetisation,
    magnetisation_gradient,
    (0.7, 0.1),
    the_feedback_is_forgotten=lambda *x: magnetisation_gradient(*x, feedback=0.0),
)


def eccentric_anomaly(anomaly: Any, e: Any) -> Any:
    """E of E - e sin E = M, Kepler's equation."""
    angle = anomaly + e * np.sin(anomaly)
    for _ in range(10):
        angle = angle - (angle - e * np.sin(angle) - anomaly) / (1 - e * np.cos(angle))
    return angle


problem(
    "Kepler's equation",
    eccentric_anomaly,
    lambda m, e: (
        1 / (1 - e * np.cos(eccentric_anomaly(m, e))),
        np.sin(eccentric_anomaly(m, e)) / (1 - e * np.cos(eccentric_anomaly(m, e))),
    ),
    (1.0, 0.4),
    only_the_explicit_part=lambda m, e: (1.0, np.sin(eccentric_anomaly(m, e))),
)

problem(
    "van der Waals's pressure, in pascal",
    lambda t, v: 8.314 * t / (v - 3.9e-5) - 0.137 / v**2,
    lambda t, v: (8.314 / (v - 3.9e-5), -8.314 * t / (v - 3.9e-5) ** 2 + 2 * 0.137 / v**3),
    (300.0, 1e-3),
    attraction_with_the_wrong_sign=lambda t, v: (
        8.314 / (v - 3.9e-5),
        -8.314 * t / (v - 3.9e-5) ** 2 - 2 * 0.137 / v**3,
    ),
)

problem(
    "Arrhenius's rate",
    lambda t: 1e13 * np.exp(-1e5 / (8.314 * t)),
    lambda t: 1e13 * np.exp(-1e5 / (8.314 * t)) * 1e5 / (8.314 * t * t),
    350.0,
    degrees_Celsius_in_the_square=lambda t: 1e13 * np.exp(-1e5 / (8.314 * t)) * 1e5 / (8.314 * (t - 273.15) ** 2),
)


def distance(place: Any) -> Any:
    """On the globe, in kilometres, from a town; latitude and longitude in degrees."""
    radians = place * np.pi / 180
    town = np.array([52.5, 13.4]) * np.pi / 180
    a = np.sin((radians[0] - town[0]) / 2) ** 2
    a = a + np.cos(radians[0]) * np.cos(town[0]) * np.sin((radians[1] - town[1]) / 2) ** 2
    return 2 * 6371 * np.arcsin(np.sqrt(a))


def distance_gradient(place: Any, unit: float = np.pi / 180, parallels: float = 1.0) -> Any:
    latitude, longitude = place * np.pi / 180
    town = np.array([52.5, 13.4]) * np.pi / 180
    half = (longitude - town[1]) / 2
    sine = np.sin(distance(place) / 2 / 6371)
    outer = 6371 / (sine * np.sqrt(1 - sine**2))
    by_latitude = np.sin(latitude - town[0]) / 2
    by_latitude -= parallels * np.sin(latitude) * np.cos(town[0]) * np.sin(half) ** 2
    by_longitude = np.cos(latitude) * np.cos(town[0]) * np.sin(2 * half) / 2
    return outer * np.array([by_latitude, by_longitude]) * unit


problem(
    "distance on the globe",
    distance,
    distance_gradient,
    np.array([48.9, 2.4]),
    radians_for_degrees=lambda place: distance_gradient(place, unit=1.0),
    parallels_of_one_length=lambda place: distance_gradient(place, parallels=0.0),
)


def epidemic(rates: Any) -> Any:
    """The infected after 20 days of SIR by Euler's method."""
    s, i = 0.99, 0.01
    for _ in range(20):
        s, i = s - rates[0] * s * i, i + rates[0] * s * i - rates[1] * i
    return i


def epidemic_gradient(rates: Any, depletion: float = 1.0) -> Any:
    s, i, ds, di = 0.99, 0.01, np.zeros(2), np.zeros(2)
    for _ in range(20):
        new = np.array([s * i, 0.0]) + rates[0] * (depletion * ds * i + s * di)
        ds, di = ds - new, di + new - rates[1] * di - np.array([0.0, i])
        s, i = s - rates[0] * s * i, i + rates[0] * s * i - rates[1] * i
    return di


problem(
    "an epidemic by Euler's method",
    epidemic,
    epidemic_gradient,
    np.array([0.5, 0.2]),
    the_susceptible_held_fixed=lambda rates: epidemic_gradient(rates, depletion=0.0),
)


def pixel(point: Any) -> Any:
    """A camera with radial distortion."""
    x = point[:2] / point[2]
    r = x @ x
    return 800 * x * (1 - 0.1 * r + 0.02 * r * r)


def pixel_jacobian(point: Any, distortion: float = 1.0) -> Any:
    x = point[:2] / point[2]
    r = x @ x
    by_x = (1 - 0.1 * r + 0.02 * r * r) * np.eye(2) + distortion * (-0.1 + 0.04 * r) * 2 * np.outer(x, x)
    by_point = np.array([[1, 0, -x[0]], [0, 1, -x[1]]]) / point[2]
    return 800 * by_x @ by_point


problem(
    "projection of a camera",
    pixel,
    pixel_jacobian,
    np.array([0.4, -0.7, 2.0]),
    distortion_held_fixed=lambda point: pixel_jacobian(point, distortion=0.0),
)
