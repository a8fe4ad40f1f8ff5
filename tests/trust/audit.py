"""The audit's table: expressions of science at everyday and at nasty points, and their truth by mpmath.

An expression is a text over names that NumPy, SciPy and mpmath all know (`names`); arguments are x, y, z, w.
The truth is a difference quotient of hundreds of digits, so no derivative rule takes part in it.
"""

from types import SimpleNamespace

import mpmath
import numpy as np
from mpmath import mpf
from scipy import special

DIGITS = 900

TABLE = {
    # cancellation
    "versine": ("1 - cos(x)", [1.0, 1e-8, 1e-160]),
    "coversine": ("1 - sin(x)", [0.5, 1.5707963]),
    "exsecant": ("1 / cos(x) - 1", [0.3, 1e-9]),
    "exp difference": ("exp(x) - exp(-x)", [1.0, 1e-12]),
    "exp twice": ("(exp(2*x) - 1) / (exp(x) - 1)", [1.0, 1e-9, 0.0]),
    "root difference": ("sqrt(x + 1) - sqrt(x)", [2.0, 1e10, 1e15]),
    "cube root difference": ("cbrt(x + 1) - cbrt(x)", [2.0, 1e12]),
    "reciprocal difference": ("1 / x - 1 / (x + 1)", [3.0, 1e9, 1e14]),
    "log difference": ("log(x + 1) - log(x)", [3.0, 1e10]),
    "log ratio": ("log((1 + x) / (1 - x))", [0.3, 1e-12]),
    "atan difference": ("atan(x + 1) - atan(x)", [1.0, 1e8]),
    "tan minus sin": ("tan(x) - sin(x)", [0.7, 1e-6]),
    "x minus sin": ("x - sin(x)", [1.0, 1e-5, 1e-9]),
    "sinh minus x": ("sinh(x) - x", [1.0, 1e-7]),
    "third order": ("(x - sin(x)) / (x - tan(x))", [1.0, 1e-4, 1e-9]),
    "cos square": ("(1 - cos(x)**2) / x**2", [0.5, 1e-7]),
    "small in large": ("(x + 1e16) - 1e16", [1.0, 3.0]),
    "cube of small": ("((1 + x) - 1)**3", [0.5, 1e-10]),
    "fourth power": ("(1 + x)**4 - 1 - 4*x", [0.1, 1e-8]),
    "quadratic root minus": ("-y - sqrt(y*y - 4*x*z)", [(1.0, 3.0, 1.0), (1.0, -1e9, 1.0)]),
    "quadratic root plus": ("(-y + sqrt(y*y - 4*x*z)) / (2*x)", [(1.0, 3.0, 1.0), (1e-9, 1.0, 1.0), (1.0, 1e9, 1.0)]),
    "citardauq": ("2*z / (-y - sqrt(y*y - 4*x*z))", [(1.0, 3.0, 1.0), (1.0, 1e9, 1.0)]),
    "discriminant": ("y*y - 4*x*z", [(1.0, 2.0, 1.0), (1.00000001, 2.0, 0.99999999)]),
    "heron": ("sqrt((x+y+z)/2 * ((x+y+z)/2 - x) * ((x+y+z)/2 - y) * ((x+y+z)/2 - z))", [(3.0, 4.0, 5.0), (1.0, 1.0, 1.9999999999)]),
    "law of cosines": ("sqrt(x*x + y*y - 2*x*y*cos(z))", [(1.0, 2.0, 0.5), (1.0, 1.0, 1e-9)]),
    "two by two": ("x*y - z*z", [(2.0, 3.0, 1.0), (1e8 + 1, 1e8 - 1, 1e8)]),
    # removable singularities
    "sinc": ("sin(x) / x", [1.0, 1e-200, 0.0]),
    "sinc squared": ("(sin(x) / x)**2", [1.0, 0.0]),
    "cardinal tan": ("tan(x) / x", [0.3, 0.0]),
    "cardinal exp": ("(exp(x) - 1) / x", [1.0, 1e-13, 0.0]),
    "bernoulli": ("x / (exp(x) - 1)", [1.0, 1e-10, 0.0, 50.0]),
    "log over": ("log(1 + x) / x", [1.0, 1e-12, 0.0]),
    "log at one": ("log(x) / (x - 1)", [2.0, 1.0, 1.0000000001]),
    "asin over": ("asin(x) / x", [0.5, 1e-10, 0.0]),
    "atan over": ("atan(x) / x", [0.5, 0.0]),
    "tanh over": ("tanh(x) / x", [0.5, 1e-9, 0.0]),
    "geometric series": ("(x**5 - 1) / (x - 1)", [2.0, 1.0, 1.0000001]),
    "one minus cos over": ("(1 - cos(x)) / x", [1.0, 1e-9, 0.0]),
    "second cardinal": ("(exp(x) - 1 - x) / x**2", [1.0, 1e-6, 0.0]),
    "spherical j1": ("sin(x)/x**2 - cos(x)/x", [2.0, 1e-4, 1e-9, 0.0]),
    "spherical j2": ("(3/x**2 - 1) * sin(x)/x - 3*cos(x)/x**2", [2.0, 1e-3, 1e-7]),
    "form factor": ("3*(sin(x) - x*cos(x)) / x**3", [1.0, 1e-5, 0.0]),
    "langevin": ("1/tanh(x) - 1/x", [1.0, 1e-5, 1e-9, 50.0]),
    "coth minus": ("cosh(x)/sinh(x) - 1/x", [1.0, 1e-7, 0.0]),
    "brillouin": ("(2*y+1)/(2*y)/tanh((2*y+1)*x/(2*y)) - 1/(2*y)/tanh(x/(2*y))", [(1.0, 2.0), (1e-6, 0.5)]),
    "debye integrand": ("x**3 / (exp(x) - 1)", [1.0, 1e-10, 0.0, 800.0]),
    "einstein heat": ("x**2 * exp(x) / (exp(x) - 1)**2", [1.0, 1e-8, 0.0, 900.0]),
    "planck": ("x**3 / (exp(y*x) - 1)", [(1.0, 1.0), (1e-6, 1e-6), (900.0, 1.0)]),
    "bose": ("1 / (exp(x - y) - 1)", [(2.0, 1.0), (1.0000000001, 1.0)]),
    "fermi": ("1 / (exp((x - y) / z) + 1)", [(2.0, 1.0, 0.5), (900.0, 1.0, 0.5), (-900.0, 1.0, 0.5)]),
    "fresnel zone": ("sqrt(x*x + y*y) - x", [(1.0, 1.0), (1e9, 1.0)]),
    "harmonic mean": ("2 / (1/x + 1/y)", [(1.0, 2.0), (0.0, 1.0)]),
    "logarithmic mean": ("(x - y) / (log(x) - log(y))", [(2.0, 1.0), (1.0000000001, 1.0), (1.0, 1.0)]),
    "box cox": ("(x**y - 1) / y", [(2.0, 0.5), (2.0, 1e-12), (2.0, 0.0)]),
    "stolarsky": ("((x**3 - y**3) / (3*(x - y)))**0.5", [(2.0, 1.0), (1.0, 1.0)]),
    "entropy term": ("x * log(x)", [0.5, 1e-300]),
    "x to the x": ("x**x", [0.5, 2.0, 1e-200]),
    # overflow and underflow
    "softplus": ("log(1 + exp(x))", [1.0, 1000.0, -1000.0, -40.0]),
    "inverse softplus": ("log(exp(x) - 1)", [1.0, 1000.0, 1e-12]),
    "sigmoid": ("exp(x) / (1 + exp(x))", [0.5, 1000.0, -1000.0]),
    "sigmoid by minus": ("1 / (1 + exp(-x))", [0.5, 800.0, -800.0]),
    "log sigmoid": ("log(1 / (1 + exp(-x)))", [0.5, 40.0, -1000.0]),
    "log sum exp": ("log(exp(x) + exp(y))", [(1.0, 2.0), (1000.0, 999.0), (-1000.0, -1001.0)]),
    "log diff exp": ("log(exp(x) - exp(y))", [(2.0, 1.0), (1000.0, 999.0), (1.0000000001, 1.0)]),
    "softmax of two": ("exp(x) / (exp(x) + exp(y))", [(1.0, 2.0), (1000.0, 1001.0)]),
    "softmax of three": ("exp(x) / (exp(x) + exp(y) + exp(z))", [(1.0, 2.0, 3.0), (-800.0, -801.0, -802.0)]),
    "cross entropy": ("log(exp(x) + exp(y) + exp(z)) - x", [(1.0, 2.0, 3.0), (1000.0, 0.0, 1.0)]),
    "log cosh": ("log(cosh(x))", [1.0, 1e-9, 1000.0]),
    "tanh by exp": ("(exp(x) - exp(-x)) / (exp(x) + exp(-x))", [0.5, 1e-9, 800.0]),
    "sech": ("1 / cosh(x)", [0.5, 800.0]),
    "gaussian": ("exp(-x*x / 2)", [1.0, 50.0, 1e-200]),
    "gaussian tails": ("exp(-(x - y)**2) / (exp(-(x - y)**2) + exp(-(x - z)**2))", [(0.0, 1.0, 2.0), (0.0, 30.0, 31.0)]),
    "norm of two": ("sqrt(x*x + y*y)", [(3.0, 4.0), (3e200, 4e200), (3e-200, 4e-200)]),
    "norm of three": ("sqrt(x*x + y*y + z*z)", [(1.0, 2.0, 2.0), (1e-190, 2e-190, 2e-190)]),
    "direction": ("x / sqrt(x*x + y*y)", [(3.0, 4.0), (3e-200, 4e-200), (3e180, 4e180)]),
    "hypot": ("hypot(x, y)", [(3.0, 4.0), (3e-320, 4e-320), (1e308, 1e308)]),
    "complex quotient": ("(x*y + z) / (y*y + z*z)", [(1.0, 2.0, 3.0), (1.0, 1e200, 1e200)]),
    "power ratio": ("x**y / (1 + x**y)", [(2.0, 3.0), (1e10, 40.0)]),
    "hill": ("x**4 / (y**4 + x**4)", [(2.0, 3.0), (1e-90, 2e-90), (1e90, 2e90)]),
    "lennard jones": ("4*((y/x)**12 - (y/x)**6)", [(1.5, 1.0), (1e30, 1e-10), (1.122462048309373, 1.0)]),
    "morse": ("(1 - exp(-(x - y)))**2", [(2.0, 1.0), (1.0000000001, 1.0), (-400.0, 1.0)]),
    "yukawa": ("exp(-x) / x", [1.0, 700.0, 1e-300]),
    "coulomb": ("1/sqrt(x*x + y*y) - 1/y", [(1.0, 1.0), (1e-9, 1.0)]),
    "arrhenius": ("x * exp(-y / z)", [(2.0, 3.0, 1.0), (1.0, 1000.0, 1.0)]),
    "gamma ratio": ("exp(lgamma(x + 1) - lgamma(x))", [2.5, 1e10]),
    "log factorials": ("lgamma(x + y) - lgamma(x) - lgamma(y)", [(2.0, 3.0), (1e9, 2.0)]),
    "binomial entropy": ("-x*log(x) - (1 - x)*log(1 - x)", [0.3, 1e-15, 0.9999999]),
    "kl of coins": ("x*log(x/y) + (1 - x)*log((1 - x)/(1 - y))", [(0.3, 0.4), (0.3, 0.30000001)]),
    "geometric mean": ("sqrt(x*y)", [(2.0, 3.0), (1e-200, 1e-200), (1e200, 1e200)]),
    "geometric mean of three": ("(x*y*z)**(1/3)", [(2.0, 3.0, 4.0), (1e-150, 1e-150, 1e-150)]),
    "p norm": ("(x**10 + y**10)**0.1", [(1.0, 2.0), (1e-60, 2e-60), (1e60, 2e60)]),
    # saturation
    "logit of sigmoid": ("log((1 / (1 + exp(-x))) / (1 - 1 / (1 + exp(-x))))", [0.5, 30.0, 50.0]),
    "atanh of tanh": ("atanh(tanh(x))", [0.5, 19.0, 25.0]),
    "log of tail": ("log(1 - tanh(x))", [0.5, 20.0]),
    "one minus erf": ("log(1 - erf(x))", [0.5, 5.0, 6.5]),
    "mills": ("exp(-x*x) / erfc(x)", [0.5, 5.0, 26.0, 30.0]),
    "erf difference": ("erf(x + y) - erf(x)", [(0.5, 1.0), (1.0, 1e-12), (7.0, 1.0)]),
    "probit": ("0.5 * erfc(-x / sqrt(2))", [0.5, -8.0, -38.0, 9.0]),
    "gelu": ("0.5 * x * (1 + erf(x / sqrt(2)))", [0.5, -8.0, -20.0]),
    "gelu by tanh": ("0.5*x*(1 + tanh(0.7978845608*(x + 0.044715*x**3)))", [0.5, -6.0, -20.0]),
    "swish": ("x / (1 + exp(-x))", [0.5, -50.0, -800.0]),
    "mish": ("x * tanh(log(1 + exp(x)))", [0.5, -40.0, 800.0]),
    "exponential linear": ("where(x > 0, x, exp(x) - 1)", [0.5, -1e-10, -50.0]),
    "acos of cosine rule": ("acos((x*x + y*y - z*z) / (2*x*y))", [(3.0, 4.0, 5.0), (1.0, 1.0, 1e-8)]),
    "arc length": ("acos(cos(x))", [0.5, 1e-9, 3.0]),
    "asin of unity": ("asin(x)", [0.5, 0.9999999999999999]),
    "atan of large": ("pi/2 - atan(x)", [1.0, 1e17]),
    # astronomy, geodesy, relativity
    "kepler": ("x - y*sin(x)", [(1.0, 0.5), (1e-8, 0.999999999)]),
    "true anomaly": ("2*atan(sqrt((1 + y)/(1 - y)) * tan(x/2))", [(1.0, 0.5), (3.14159265, 0.9)]),
    "haversine": ("2*asin(sqrt(sin((x - y)/2)**2 + cos(x)*cos(y)*sin(z/2)**2))", [(0.5, 0.6, 0.1), (0.5, 0.500000001, 1e-9)]),
    "great circle": ("acos(sin(x)*sin(y) + cos(x)*cos(y)*cos(z))", [(0.5, 0.6, 0.1), (0.5, 0.50000001, 1e-8)]),
    "lorentz": ("1 / sqrt(1 - x*x)", [0.5, 0.99999999999, 1e-9]),
    "kinetic energy": ("1 / sqrt(1 - x*x) - 1", [0.5, 1e-9]),
    "kinetic by momentum": ("sqrt(x*x + 1) - 1", [0.5, 1e-9, 1e200]),
    "doppler": ("sqrt((1 + x) / (1 - x)) - 1", [0.5, 1e-12]),
    "velocity addition": ("(x + y) / (1 + x*y)", [(0.5, 0.6), (0.9999999999, 0.9999999999)]),
    "rapidity": ("0.5*log((x + y) / (x - y))", [(2.0, 1.0), (1e9, 0.9999999999e9)]),
    "schwarzschild": ("sqrt(1 - 2*x/y)", [(1.0, 6.0), (1.0, 1e18), (1.0, 2.0000000001)]),
    "escape": ("sqrt(2*x/y)", [(1.0, 2.0), (1e-300, 1e300)]),
    "mercator": ("log(tan(pi/4 + x/2))", [0.5, 1e-12, 1.5]),
    "gudermann": ("2*atan(exp(x)) - pi/2", [0.5, 1e-12, 50.0]),
    "air mass": ("sqrt((y*cos(x))**2 + 2*y + 1) - y*cos(x)", [(0.5, 700.0), (0.0, 1e9)]),
    # finance, statistics
    "annuity": ("(1 - (1 + x)**(-y)) / x", [(0.05, 30.0), (1e-12, 30.0), (0.0, 30.0)]),
    "compound": ("(1 + x/y)**y", [(0.05, 12.0), (0.05, 1e15)]),
    "black scholes d1": ("(log(x/y) + 0.5*z*z) / z", [(100.0, 90.0, 0.2), (100.0, 100.0, 1e-9)]),
    "black scholes call": ("x*0.5*erfc(-(log(x/y)/z + z/2)/sqrt(2)) - y*0.5*erfc(-(log(x/y)/z - z/2)/sqrt(2))",
        [(100.0, 90.0, 0.2), (100.0, 300.0, 0.05), (100.0, 100.0, 1e-8)]),
    "student": ("(1 + x*x/y)**(-(y + 1)/2)", [(1.0, 5.0), (1e-9, 5.0), (1.0, 1e14), (1e100, 3.0)]),
    "student log": ("-(y + 1)/2 * log(1 + x*x/y)", [(1.0, 5.0), (1.0, 1e14), (1e-9, 5.0)]),
    "von mises": ("exp(y*cos(x)) / exp(y)", [(0.5, 2.0), (1e-3, 900.0), (1e-9, 2.0)]),
    "cauchy": ("0.5 + atan(x)/pi", [0.5, -1e12]),
    "weibull": ("1 - exp(-(x/y)**z)", [(1.0, 2.0, 1.5), (1e-12, 1.0, 2.0)]),
    "gumbel": ("exp(-exp(-x))", [0.5, -5.0, -8.0, 50.0]),
    "log normal": ("exp(-log(x)**2 / 2) / x", [0.5, 1e-30, 1e30]),
    "beta density": ("x**(y - 1) * (1 - x)**(z - 1)", [(0.3, 2.0, 3.0), (1e-12, 2.0, 3.0)]),
    "poisson log": ("y*log(x) - x - lgamma(y + 1)", [(2.0, 3.0), (1e6, 1e6)]),
    "variance of three": ("(x*x + y*y + z*z)/3 - ((x + y + z)/3)**2", [(1.0, 2.0, 4.0), (1e8, 1e8 + 1, 1e8 + 2), (1e-170, 2e-170, 4e-170)]),
    "spread of two": ("sqrt((x - (x + y)/2)**2 + (y - (x + y)/2)**2)", [(1.0, 2.0), (1e9, 1e9 + 1)]),
    "correlation": ("x*y / (sqrt(x*x + z*z) * sqrt(y*y + z*z))", [(1.0, 2.0, 3.0), (1e-170, 2e-170, 3e-170)]),
    "z score": ("(x - y) / sqrt((x - y)**2 + z*z)", [(1.0, 2.0, 3.0), (1e-200, 2e-200, 1e-200)]),
    "odds ratio": ("log(x/(1 - x)) - log(y/(1 - y))", [(0.3, 0.4), (1e-15, 2e-15), (0.9999999999, 0.9999999998)]),
    "wald": ("sqrt(x/y)", [(1.0, 2.0), (1e-320, 1e-320)]),
    # chemistry, engineering
    "ph": ("-log10((-x + sqrt(x*x + 4*y)) / 2)", [(1e-3, 1e-14), (1.0, 1e-14)]),
    "michaelis morrison": ("(x + y + z) - sqrt((x + y + z)**2 - 4*x*y)", [(1.0, 2.0, 0.5), (1.0, 1e-12, 1.0), (1e-9, 1.0, 1e-3)]),
    "goldman": ("x * (y - z*exp(-x)) / (1 - exp(-x))", [(1.0, 2.0, 3.0), (1e-10, 2.0, 3.0), (0.0, 2.0, 3.0)]),
    "rate constant": ("0.1*(x - 25) / (1 - exp(-0.1*(x - 25)))", [20.0, 25.0, 25.0000001]),
    "haaland": ("-1.8*log10((x/3.7)**1.11 + 6.9/y)", [(1e-3, 1e5), (1e-30, 1e8)]),
    "manning": ("x*(x/(1 + 2*x))**(2/3)", [1.0, 1e-200]),
    "capacitor": ("1 - exp(-x/y)", [(1.0, 2.0), (1e-15, 1.0), (900.0, 1.0)]),
    "diode": ("x - y*(exp(x) - 1)", [(0.5, 1e-3), (1e-12, 1e-3)]),
    "resonance": ("1 / sqrt((1 - x*x)**2 + (y*x)**2)", [(0.5, 0.1), (1.0, 1e-9), (1.0000000001, 1e-12)]),
    "snell": ("asin(x*sin(y))", [(1.3, 0.5), (1e-300, 0.5)]),
    "lens": ("1 / (1/x - 1/y)", [(2.0, 3.0), (1.0, 1.0000000001)]),
    "reduced mass": ("x*y / (x + y)", [(1.0, 2.0), (1e-200, 1e-200), (1e200, 1e200)]),
    "catenary": ("x*(cosh(y/x) - 1)", [(1.0, 2.0), (1e9, 1.0)]),
    "sagitta": ("x - sqrt(x*x - y*y)", [(2.0, 1.0), (1e9, 1.0), (1.0, 1e-9)]),
    "sphere cap": ("(2*x**3 - 3*x**2*y + y**3) / 3", [(2.0, 1.0), (1.0, 0.9999999)]),
    "orifice": ("x / sqrt(1 - (x/y)**4)", [(1.0, 2.0), (1e-100, 1.0)]),
    "stefan": ("x**4 - y**4", [(2.0, 1.0), (300.0, 299.9999999)]),
    "lmtd": ("(x - y) / log(x/y)", [(2.0, 1.0), (1.0000000001, 1.0), (1.0, 1.0)]),
    "nernst": ("log(x) - log(y)", [(2.0, 1.0), (1e-200, 1e200)]),
    "clausius": ("exp(x*(1/y - 1/z))", [(1.0, 2.0, 3.0), (5000.0, 300.0, 300.0000001)]),
    "van der waals": ("x/(y - 0.5) - 1/y**2", [(1.0, 2.0), (1.0, 0.50000000001)]),
    "carnahan": ("(1 + x + x*x - x**3) / (1 - x)**3", [0.3, 0.9999999, 1e-12]),
    # edges, dead branches
    "guarded root": ("where(x > 0, sqrt(x), 0*x)", [0.5, -1.0]),
    "guarded log": ("where(x > 0, log(x), x)", [0.5, -1.0]),
    "guarded sinc": ("where(x == 0, 1 + 0*x, sin(x) / x)", [0.5, 0.0, 1e-9]),
    "guarded quotient": ("where(y != 0, x / y, 0*x)", [(1.0, 2.0)]),
    "taylor guard": ("where(abs(x) < 1e-4, 1 - x*x/6, sin(x) / x)", [0.5, 0.0, 1e-5]),
    "huber": ("where(abs(x) < 1, 0.5*x*x, abs(x) - 0.5)", [0.5, 1.0, -1.0, 3.0]),
    "smooth step": ("where(x < 0, 0*x, where(x > 1, 0*x + 1, x*x*(3 - 2*x)))", [0.5, 0.0, 1.0]),
    "clamped": ("sqrt(maximum(x, 0) + 1)", [0.5, -1.0]),
    "abs cubed": ("abs(x)**3", [0.0, -1.0]),
    "abs times": ("x * abs(x)", [0.0, 1e-200, -2.0]),
    "root of square": ("sqrt(x*x)", [2.0, -1e-200, 1e200]),
    "root of fourth": ("sqrt(x**4)", [2.0, 0.0, 1e-90]),
    "root squared": ("sqrt(x)**2", [2.0, 0.0]),
    "cube root cubed": ("cbrt(x)**3", [2.0, 0.0, -8.0]),
    "power three halves": ("x**1.5", [2.0, 0.0, 1e-200]),
    "square log": ("x*x*log(x)", [2.0, 0.0, 1e-200]),
    "flat": ("exp(-1/(x*x))", [0.5, 0.0, 1e-2]),
    "inverse of inverse": ("1 / (1/x)", [2.0, 0.0, 1e-310]),
    "log of exp": ("log(exp(x))", [0.5, 1000.0, -1000.0]),
    "exp of log": ("exp(log(x))", [0.5, 0.0, 1e-310]),
    "sin of large": ("sin(x)", [1e10, 1e22]),
    "double angle": ("sin(x)*cos(x) - sin(2*x)/2 + x", [0.5, 1e5]),
    # special functions
    "digamma difference": ("lgamma(x + 0.5) - lgamma(x)", [2.0, 1e9]),
    "beta function": ("exp(lgamma(x) + lgamma(y) - lgamma(x + y))", [(2.0, 3.0), (200.0, 300.0), (1e-10, 2.0)]),
    "reciprocal gamma": ("1 / gamma(x)", [2.5, 180.0, 1e-10]),
    "stirling error": ("lgamma(x) - (x - 0.5)*log(x) + x", [2.0, 1e6]),
    "dawson": ("exp(-x*x) * erfi(x)", [0.5, 5.0, 30.0]),
    "bessel over": ("j1(x) / x", [1.0, 1e-10, 0.0]),
    "airy disc": ("(2*j1(x) / x)**2", [1.0, 1e-9, 0.0]),
    "bessel ratio": ("i1(x) / i0(x)", [1.0, 1e-9, 800.0]),
    "log bessel": ("log(i0(x))", [1.0, 1e-9, 800.0]),
    "lambert": ("lambertw(x)", [0.5, -0.367879441, 1e-12]),
    # recurrences
    "horner": ("((((x - 5)*x + 10)*x - 10)*x + 5)*x - 1", [2.0, 1.0001, 1.0]),
    "newton for a root": ("newton(x)", [2.0, 1e-10]),
    "continued fraction": ("fraction(x)", [2.0, 1e-10]),
    "logistic steps": ("logistic(x)", [0.3, 1e-12]),
    "mean of means": ("means(x, y)", [(1.0, 2.0), (1.0, 1.0000001), (1e-200, 1e-100)]),
    "chebyshev": ("chebyshev(x)", [0.3, 0.999999]),
    "miller": ("backward(x)", [0.5, 1e-5]),
}  # fmt: skip


def _loops(m):
    """Functions with loops, over the names of `m`."""

    def newton(x):
        y = 1 + 0 * x
        for _ in range(12):
            y = 0.5 * (y + x / y)
        return y

    def fraction(x):
        y = x
        for k in range(8, 0, -1):
            y = k + x / y
        return y

    def logistic(x):
        for _ in range(10):
            x = 3.75 * x * (1 - x)
        return x

    def means(x, y):
        for _ in range(5):
            x, y = (x + y) / 2, m.sqrt(x * y)
        return x

    def chebyshev(x):
        a, b = 1 + 0 * x, x
        for _ in range(12):
            a, b = b, 2 * x * b - a
        return b

    def backward(x):
        """e-like integrals by the unstable recurrence: I(n) = x - n I(n - 1)."""
        y = m.exp(x) - 1
        for k in range(1, 13):
            y = m.exp(x) - k * y
        return y

    return {f.__name__: f for f in (newton, fraction, logistic, means, chebyshev, backward)}


def names(which):
    """The names of the expressions, of NumPy and SciPy ("numpy") or of mpmath ("mpmath")."""
    if which == "numpy":
        found = {n: getattr(np, n) for n in ["exp", "log", "log10", "log1p", "expm1", "sqrt", "cbrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "hypot", "abs", "where", "maximum"]}  # fmt: skip
        found |= {
            n: getattr(np, "arc" + n[1:])
            for n in ("asin", "acos", "atan", "atan2", "asinh", "acosh", "atanh")
        }
        found |= {
            n: getattr(special, n) for n in ("erf", "erfc", "erfi", "gamma", "j1", "i0", "i1")
        }
        found |= {"pi": float(np.pi), "lgamma": special.gammaln, "lambertw": lambda x: special.lambertw(x).real}  # fmt: skip
    else:
        found = {n: getattr(mpmath, n) for n in ["exp", "log", "log10", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "hypot", "log1p", "expm1", "asin", "acos", "atan", "atan2", "asinh", "acosh", "atanh", "erf", "erfc", "erfi", "gamma", "lambertw"]}  # fmt: skip
        found |= {
            "cbrt": lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)),
            "abs": abs,
            "where": None,  # (only the branch that is taken is computed)
            "maximum": max,
            "pi": mpf(float(np.pi)),
            "lgamma": mpmath.loggamma,
            "j1": lambda x: mpmath.besselj(1, x),
            "i0": lambda x: mpmath.besseli(0, x),
            "i1": lambda x: mpmath.besseli(1, x),
            "lambertw": lambda x: mpmath.re(mpmath.lambertw(x)),
        }
        found["sqrt"] = lambda x: mpmath.sqrt(x) if x >= 0 else mpmath.nan
    return found | _loops(SimpleNamespace(**found))


def function(text, which):
    """An expression as a function of its arguments."""
    known = names(which)
    count = max(n + 1 for n, name in enumerate("xyzw") if name in _free(text))
    if which == "mpmath":
        text = _lazy(text)
    return eval(f"lambda {', '.join('xyzw'[:count])}: {text}", known)


def _free(text):
    return set(compile(text, "", "eval").co_names)


def _lazy(text):
    """`where(c, a, b)` as `(a if c else b)`."""
    import ast

    class Lazy(ast.NodeTransformer):
        def visit_Call(self, node):
            self.generic_visit(node)
            if getattr(node.func, "id", "") == "where":
                c, a, b = node.args
                return ast.IfExp(c, a, b)
            return node

    return ast.unparse(Lazy().visit(ast.parse(text, mode="eval")))


def truth(text, point, format):
    """The partial derivatives at a point of floats; None where the quotients do not agree."""
    f = function(text, "mpmath")
    with mpmath.workdps(DIGITS):
        exact = [mpf(float(format(v))) for v in point]
        return [_slope(f, exact, k) for k in range(len(exact))]


def _slope(f, xs, k):
    found = []
    for digits in (70, 90):
        h = mpf(10) ** -digits * (abs(xs[k]) if xs[k] else 1)

        def at(step, h=h):
            return f(*(x + (step * h if n == k else 0) for n, x in enumerate(xs)))

        try:
            found.append((at(1) - at(-1)) / (2 * h))
        except (ZeroDivisionError, ValueError, TypeError):
            return None
    if any(isinstance(v, mpmath.mpc) for v in found):  # beyond the edge of its domain
        return None
    near = abs(found[0] - found[1]) <= mpf(10) ** -20 * max(abs(found[1]), mpf(10) ** -60)
    return found[1] if near and mpmath.isfinite(found[1]) else None


def wrong(got, want, format):
    """Is a slope further off than may be? (A quotient cannot tell 0 from less than its step.)"""
    info = np.finfo(format)
    size = max(abs(float(want)), float(info.tiny))
    if abs(float(want)) > float(info.max):
        return not np.isinf(got)
    if not np.isfinite(got):
        return True
    if abs(want) < mpf(10) ** -100 and got == 0:
        return False
    tolerance = 1e-3 if info.nmant > 40 else 1e-2
    off = abs(float(got) / size - float(want) / size)
    return off > tolerance and not (abs(float(want)) < info.tiny and abs(got) <= 2 * info.tiny)
