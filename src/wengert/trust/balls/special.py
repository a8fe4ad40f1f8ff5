"""Ball rules of special functions, as SciPy defines them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from wengert.ir.primitive import Primitive
from wengert.trust.balls.moves import as_objects, one
from wengert.trust.balls.number import complex_ball, each, flint, hull, powered

Rule = Callable[..., Any]

WITHOUT: dict[str, str] = {
    **dict.fromkeys(("eig", "full_qr", "full_svd"), "vectors that LAPACK chooses among many"),
    "nextafter": "a question about floats, not about numbers",
    "exponent": "a question about floats, not about numbers",
}


def _pi() -> Any:
    return flint().arb.pi()


def _arb(x: Any) -> Any:
    return flint().arb(x)


def _is_complex(x: Any) -> bool:
    return x.__class__ is flint().acb


def real_part_of(f: Rule) -> Rule:
    """A rule for real balls from a complex function that is real there."""

    def rule(*xs: Any) -> Any:
        y = f(*map(complex_ball, xs))
        return y if any(map(_is_complex, xs)) else y.real

    return rule


# ---- the error function's family -----------------------------------------------------------------------


def _erfcx(x: Any) -> Any:
    return (x * x).exp() * x.erfc()


def _erfcx_integral(x: Any, *, times: int) -> Any:
    """exp(x²) iⁿerfc(x): 2⁻ⁿ U((n+1)/2, 1/2, x²) / √π for x > 0 (DLMF 7.18), else by recurrence."""
    n = _arb(times)
    if x > 0:
        return _arb(2) ** (-n) * (x * x).hypgeom_u((n + 1) / 2, _arb(0.5)) / _pi().sqrt()
    older, now = 2 / _pi().sqrt(), _erfcx(x)
    for k in range(1, times + 1):
        older, now = now, (older - 2 * x * now) / (2 * k)
    return now


def _dawson(x: Any) -> Any:
    return _pi().sqrt() / 2 * (-x * x).exp() * x.erfi()


def _wofz(z: Any) -> Any:
    z = complex_ball(z)
    return (-z * z).exp() * (z * flint().acb(0, -1)).erfc()


def _ndtr(x: Any) -> Any:
    return (-x / _arb(2).sqrt()).erfc() / 2


def _ndtri(p: Any) -> Any:
    return -_arb(2).sqrt() * (2 * p).erfcinv()


def _fresnel_s(x: Any) -> Any:
    return x.fresnel_s()


def _fresnel_c(x: Any) -> Any:
    return x.fresnel_c()


# ---- logistic functions, entropies ---------------------------------------------------------------------


def _expit(x: Any) -> Any:
    return 1 / (1 + (-x).exp()) if _is_complex(x) or not x < 0 else x.exp() / (1 + x.exp())


def _log_expit(x: Any) -> Any:
    return -((-x).exp().log1p()) if x >= 0 else x - x.exp().log1p()


def _times_log(x: Any, y: Any) -> Any:
    return x * 0 if x == 0 else x * y.log()


def _entr(x: Any) -> Any:
    return _arb(0) if x == 0 else -x * x.log() if not x < 0 else _arb("-inf")


def _rel_entr(x: Any, y: Any) -> Any:
    return _arb(0) if x == 0 and y >= 0 else x * (x / y).log()


def _kl_div(x: Any, y: Any) -> Any:
    return y if x == 0 and y >= 0 else x * (x / y).log() - x + y


def _huber(d: Any, r: Any) -> Any:
    size = abs(r)
    near, far = r * r / 2, d * (size - d / 2)
    return near if size <= d else far if size > d else hull(near, far)


def _pseudo_huber(d: Any, r: Any) -> Any:
    return _arb(0) if d == 0 else d * d * (((r / d) * (r / d) + 1).sqrt() - 1)


def _exprel(x: Any) -> Any:
    """expm1(x) / x = M(1, 2, x)."""
    return x.hypgeom_1f1(_arb(1), _arb(2)) if x.contains(0) else x.expm1() / x


def _boxcox(x: Any, p: Any) -> Any:
    return x.log() * _exprel(p * x.log())


def _boxcox1p(x: Any, p: Any) -> Any:
    log = x.log1p()
    return log * _exprel(p * log)


def _log1prel(t: Any) -> Any:
    """log1p(t) / t = ₂F₁(1, 1; 2; -t)."""
    return (-t).hypgeom_2f1(_arb(1), _arb(1), _arb(2)) if t.contains(0) else t.log1p() / t


def _inv_boxcox(y: Any, p: Any) -> Any:
    return (y * _log1prel(p * y)).exp()


def _inv_boxcox1p(y: Any, p: Any) -> Any:
    return (y * _log1prel(p * y)).expm1()


# ---- gamma functions -----------------------------------------------------------------------------------


def _gammaln(x: Any) -> Any:
    return x.lgamma() if x > 0 else abs(x.gamma()).log()


def _gammasgn(x: Any) -> Any:
    return _arb(1) if x > 0 else x.gamma().sgn()


def _polygamma(x: Any, *, order: int) -> Any:
    return complex_ball(x).polygamma(_arb(order)).real if order else x.digamma()


def _beta(a: Any, b: Any) -> Any:
    return a.gamma() * b.gamma() * (a + b).rgamma()


def _betaln(a: Any, b: Any) -> Any:
    return _gammaln(a) + _gammaln(b) - _gammaln(a + b)


def _poch(x: Any, m: Any) -> Any:
    return (x + m).gamma() * x.rgamma()


def _binom(n: Any, k: Any) -> Any:
    return (n + 1).gamma() * (k + 1).rgamma() * (n - k + 1).rgamma()


def _gammainc(a: Any, x: Any) -> Any:
    return x.gamma_lower(a, 1)


def _gammaincc(a: Any, x: Any) -> Any:
    return x.gamma_upper(a, 1)


def _betainc(a: Any, b: Any, x: Any) -> Any:
    return x.beta_lower(a, b, 1)


def _betainc_turned(a: Any, b: Any, x: Any) -> Any:
    """I(a, b; x) once more, from the other end."""
    return 1 - (1 - x).beta_lower(b, a, 1)


def _stdtr(v: Any, t: Any) -> Any:
    tail = _betainc(v / 2, _arb(0.5), v / (v + t * t)) / 2
    return 1 - tail if t >= 0 else tail if t < 0 else hull(tail, 1 - tail)


# ---- slopes in parameters: differences, and Cauchy's bound of what they leave out ------------------------


def _in_parameter(f: Callable[..., Any], place: int) -> Rule:
    """∂f/∂(argument `place`) of a function that is analytic in it, on complex balls.

    (f(a + h) - f(a - h)) / 2h is off by at most h² max|f| / (r² (r - h)) on a circle of radius r.
    """

    def rule(*xs: Any) -> Any:
        a, bits = xs[place], flint().ctx.prec
        h, r = _arb(2) ** -(bits // 3), _arb(2) ** -6 * (1 + abs(a)).mid()

        def at(t: Any) -> Any:
            return f(*(complex_ball(t if n == place else x) for n, x in enumerate(xs)))

        around = flint().acb(a + r * flint().arb(0, 1), r * flint().arb(0, 1))
        most = abs(at(around)).upper()
        slope = ((at(a + h) - at(a - h)) / (2 * h)).real
        return slope + most * h * h / (r * r * (r - h)) * flint().arb(0, 1)

    return rule


def _narrower(first: Rule, second: Rule) -> Rule:
    """One function computed in two ways; the second is asked where the first tells little."""

    def rule(*xs: Any) -> Any:
        found = first(*xs)
        if found.is_finite() and found.rel_accuracy_bits() > flint().ctx.prec // 2:
            return found
        other = second(*xs)
        if not found.is_finite():
            return other
        return other if other.is_finite() and other.rad() < found.rad() else found

    return rule


def _struve(sign: int) -> Rule:
    """(x/2)^(v+1) ₁F₂(1; 3/2, v + 3/2; ∓x²/4) / (Γ(3/2) Γ(v + 3/2))."""

    def rule(v: Any, x: Any) -> Any:
        half = _arb(1.5)
        whole = v.is_integer()
        if not (x > 0 or (whole and x == x)):
            return _arb("nan")
        power = powered(x / 2, int(v.unique_fmpz() + 1) if whole else v + 1)
        series = (sign * x * x / 4).hypgeom([_arb(1)], [half, v + half])
        return power * series * half.rgamma() * (v + half).rgamma()

    return rule


# ---- inverses: found by Newton's iteration, proved by the values on both sides --------------------------


def _inverse(of: Rule, guess: Callable[..., float], sign: int = 1) -> Rule:
    """The rule of `x` where `of(*params, x)` is p, for a function that rises (or falls: -1) with x."""

    def rule(*given: Any) -> Any:
        *params, p = given
        start = guess(*(float(v.mid()) for v in given))
        if not math.isfinite(start):
            return _arb("nan")
        bits = flint().ctx.prec
        x, tiny = _arb(start), _arb(2) ** -(bits // 2)
        for _ in range(bits.bit_length() + 2):
            step = abs(x) * tiny if x != 0 else tiny
            slope = (of(*params, x + step) - of(*params, x)) / step
            x = (x - (of(*params, x) - p) / slope).mid()
            if not x.is_finite():
                return x
        # (with room for what `of` itself is uncertain of)
        room = abs((of(*params, x) - p) / slope).upper() * 4 + abs(x) * _arb(2) ** (6 - bits)
        low, high = (sign * of(*params, end) for end in (x - room, x + room))
        return x + room * flint().arb(0, 1) if low < sign * p < high else _arb("nan")

    return rule


def _scipy(name: str) -> Callable[..., float]:
    def guess(*xs: float) -> float:
        from scipy import special

        return float(getattr(special, name)(*xs))

    return guess


# ---- Bessel functions ----------------------------------------------------------------------------------


def bessel(name: str, scale: Rule | None = None) -> Rule:
    """A rule for `f(order, x)`, multiplied by `scale(x)`."""

    def one_(order: Any, x: Any) -> Any:
        if not _is_complex(x) and x < 0:  # of a negative real, through complex numbers
            y = getattr(complex_ball(x), name)(complex_ball(order)).real
        else:
            y = getattr(x, name)(order)
        return y if scale is None else y * scale(x)

    return one_


def of_order(n: int, rule: Rule) -> Rule:
    return lambda x: rule(_arb(n), x)


_decay = lambda x: (-abs(x)).exp() if not _is_complex(x) else (-abs(x.real)).exp()
_growth = lambda x: x.exp()
_jv, _yv = bessel("bessel_j"), bessel("bessel_y")
_iv, _kv = bessel("bessel_i"), bessel("bessel_k")
_ive, _kve = bessel("bessel_i", _decay), bessel("bessel_k", _growth)


def _hankel(sign: int) -> Rule:
    def rule(order: Any, z: Any) -> Any:
        z, order = complex_ball(z), complex_ball(order)
        return z.bessel_j(order) + flint().acb(0, sign) * z.bessel_y(order)

    return rule


def _airy(part: int) -> Rule:
    return lambda x: x.airy()[part]


def spherical(cylinder: Rule, factor: Rule) -> Rule:
    """√(factor / z) times the cylinder function of half an order more."""

    def rule(z: Any, *, order: int) -> Any:
        if z == 0:
            return _arb(1) if order == 0 else _arb(0)
        return (factor() / (2 * z)).sqrt() * cylinder(_arb(order) + _arb(0.5), z)

    return rule


# ---- elliptic and hypergeometric functions, integrals --------------------------------------------------

_ellipk = real_part_of(lambda m: m.elliptic_k())
_ellipe = real_part_of(lambda m: m.elliptic_e())


def _ellipkm1(p: Any) -> Any:
    return _ellipk(1 - p)


def _exp1(x: Any) -> Any:
    return x.expint(_arb(1))


def _expn(n: Any, x: Any) -> Any:
    return x.expint(n)


def _spence(x: Any) -> Any:
    """Li₂(1 - x)."""
    return real_part_of(lambda z: (1 - z).polylog(2))(x)


def _wrightomega(z: Any) -> Any:
    if _is_complex(z):
        return _arb("nan")
    if z > 700:
        return _newton_omega(z)
    return z.exp().lambertw()


def _newton_omega(z: Any) -> Any:
    """w + log w = z."""
    bits = flint().ctx.prec
    w = (z - z.log()).mid()
    for _ in range(bits.bit_length() + 4):
        w = ((z.mid() - w.log() + 1) * w / (w + 1)).mid()
    slope = w / (1 + w)
    error = abs(w + w.log() - z) * 2 * slope
    return w + error * flint().arb(0, 1)


def _lambertw(z: Any, *, branch: int, tol: Any) -> Any:
    return complex_ball(z).lambertw(branch)


def _hyp0f1(v: Any, x: Any) -> Any:
    return x.hypgeom_0f1(v)


def _hyp1f1(a: Any, b: Any, x: Any) -> Any:
    return x.hypgeom_1f1(a, b)


def _hyp2f1(a: Any, b: Any, c: Any, x: Any) -> Any:
    return x.hypgeom_2f1(a, b, c)


def _hyperu(a: Any, b: Any, x: Any) -> Any:
    return x.hypgeom_u(a, b)


def _owens_t(h: Any, a: Any) -> Any:
    """Owen's T by its integral, along which Arb's own quadrature is proved."""
    if not (h.is_finite() and a.is_finite()):
        return _arb("nan")
    acb, half = flint().acb, flint().acb(-h * h / 2)

    def density(t: Any, analytic: bool) -> Any:
        u = 1 + t * t
        return (half * u).exp() / u

    return acb.integral(density, acb(0), acb(a)).real / (2 * _pi())


def _zeta(x: Any, q: Any) -> Any:
    return x.zeta(q)


def _degrees(name: str) -> Rule:
    return lambda x: getattr(x / 180, name)()


def family(rule: Rule) -> Rule:
    """A rule for arrays, of a primitive with parameters."""

    def whole(prim: Primitive, x: Any, **params: Any) -> Any:
        return one(each(lambda v: rule(v, **params))(as_objects(x)))

    return whole


RULES: dict[str, Rule] = {
    "erf": lambda x: x.erf(),
    "erfc": lambda x: x.erfc(),
    "erfi": lambda x: x.erfi(),
    "erfcx": _erfcx,
    "erfinv": lambda x: x.erfinv(),
    "erfcinv": lambda x: x.erfcinv(),
    "dawsn": _dawson,
    "wofz": _wofz,
    "ndtr": _ndtr,
    "log_ndtr": lambda x: _ndtr(x).log(),
    "ndtri": _ndtri,
    "fresnel_s": _fresnel_s,
    "fresnel_c": _fresnel_c,
    "expit": _expit,
    "logit": lambda p: (p / (1 - p)).log(),
    "log_expit": _log_expit,
    "xlogy": _times_log,
    "xlog1py": lambda x, y: x * 0 if x == 0 else x * y.log1p(),
    "entr": _entr,
    "rel_entr": _rel_entr,
    "kl_div": _kl_div,
    "owens_t": _owens_t,
    "huber": _huber,
    "pseudo_huber": _pseudo_huber,
    "exprel": _exprel,
    "exp10": lambda x: _arb(10) ** x,
    "cosm1": lambda x: -2 * (x / 2).sin() ** 2,
    "powm1": lambda x, y: powered(x, y) - 1,
    "boxcox": _boxcox,
    "boxcox1p": _boxcox1p,
    "inv_boxcox": _inv_boxcox,
    "inv_boxcox1p": _inv_boxcox1p,
    "sindg": _degrees("sin_pi"),
    "cosdg": _degrees("cos_pi"),
    "tandg": _degrees("tan_pi"),
    "cotdg": _degrees("cot_pi"),
    "radian": lambda d, m, s: (d + m / 60 + s / 3600) * _pi() / 180,
    "gamma": lambda x: x.gamma(),
    "gammaln": _gammaln,
    "loggamma": lambda x: x.lgamma(),
    "gammasgn": _gammasgn,
    "rgamma": lambda x: x.rgamma(),
    "psi": lambda x: x.digamma(),
    "beta": _beta,
    "betaln": _betaln,
    "poch": _poch,
    "binom": _binom,
    "gammainc": _gammainc,
    "gammaincc": _gammaincc,
    "betainc": _betainc,
    "betaincc": lambda a, b, x: _betainc(b, a, 1 - x),
    "gammainc_a": _narrower(
        _in_parameter(lambda a, x: x.gamma_lower(a, 1), 0),
        _in_parameter(lambda a, x: 1 - x.gamma_upper(a, 1), 0),
    ),
    "betainc_a": _narrower(_in_parameter(_betainc, 0), _in_parameter(_betainc_turned, 0)),
    "betainc_b": _narrower(_in_parameter(_betainc, 1), _in_parameter(_betainc_turned, 1)),
    "zeta_x": _in_parameter(lambda x, q: x.zeta(q), 0),
    "struve": _struve(-1),
    "modstruve": _struve(1),
    "ellipem1": lambda p: _ellipe(1 - p),
    "gammaincinv": _inverse(_gammainc, _scipy("gammaincinv")),
    "gammainccinv": _inverse(_gammaincc, _scipy("gammainccinv"), -1),
    "betaincinv": _inverse(_betainc, _scipy("betaincinv")),
    "betainccinv": _inverse(lambda a, b, x: _betainc(b, a, 1 - x), _scipy("betainccinv"), -1),
    "stdtrit": _inverse(_stdtr, _scipy("stdtrit")),
    "ndtri_exp": _inverse(lambda x: _ndtr(x).log(), _scipy("ndtri_exp")),
    "chdtr": lambda v, x: _gammainc(v / 2, x / 2),
    "chdtrc": lambda v, x: _gammaincc(v / 2, x / 2),
    "pdtr": lambda k, m: _gammaincc(k.floor() + 1, m),
    "pdtrc": lambda k, m: _gammainc(k.floor() + 1, m),
    "stdtr": _stdtr,
    "jv": _jv,
    "yv": _yv,
    "iv": _iv,
    "kv": _kv,
    "yn": _yv,
    "kn": _kv,
    "jve": _jv,
    "yve": _yv,
    "ive": _ive,
    "kve": _kve,
    "hankel1": _hankel(1),
    "hankel2": _hankel(-1),
    **{f"{letter}{n}": of_order(n, rule) for letter, rule in (("j", _jv), ("y", _yv), ("i", _iv), ("k", _kv)) for n in (0, 1)},
    **{f"{letter}{n}e": of_order(n, rule) for letter, rule in (("i", _ive), ("k", _kve)) for n in (0, 1)},
    **{f"airy_{name}": _airy(n) for n, name in enumerate(("ai", "aip", "bi", "bip"))},
    "ellipk": _ellipk,
    "ellipe": _ellipe,
    "ellipkm1": _ellipkm1,
    "exp1": _exp1,
    "expi": lambda x: x.ei(),
    "expn": _expn,
    "sici_si": lambda x: x.si(),
    "sici_ci": lambda x: x.ci(),
    "shichi_shi": lambda x: x.shi(),
    "shichi_chi": lambda x: x.chi(),
    "spence": _spence,
    "wrightomega": _wrightomega,
    "hyp0f1": _hyp0f1,
    "hyp1f1": _hyp1f1,
    "hyp2f1": _hyp2f1,
    "hyperu": _hyperu,
    "zeta": _zeta,
}  # fmt: skip

WHOLE: dict[str, Rule] = {
    "polygamma": family(_polygamma),
    "erfcx_integral": family(_erfcx_integral),
    "spherical_jn": family(spherical(_jv, _pi)),
    "spherical_yn": family(spherical(_yv, _pi)),
    "spherical_in": family(spherical(_iv, _pi)),
    "spherical_kn": family(spherical(_kv, _pi)),
    "lambertw": family(_lambertw),
}
