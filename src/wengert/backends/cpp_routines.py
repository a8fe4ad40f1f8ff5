"""What BLAS, LAPACK and SciPy do, in plain loops: C++ that stands alone calls nobody.

The texts are read by C++17 and C99 alike, once some words have got their meaning. Matrices lie
column by column, as Fortran has them; `info` says where it stopped, as LAPACK does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

# SciPy's names that the standard library knows by another one
SPECIALS = {"special_gammaln": "lgamma", "special_gamma": "tgamma"}


class Text(NamedTuple):
    """A function, and others that it calls."""

    text: str
    needs: tuple[str, ...] = ()


ROUTINES = {
    "gemm": Text("""\
INLINE void PREFIXgemm_TYPE(char ta, char tb, I64 m, I64 n, I64 k, REAL alpha, const REAL* a, I64 lda,
                            const REAL* b, I64 ldb, REAL beta, REAL* c, I64 ldc) {
    for (I64 j = 0; j < n; ++j) {
        REAL* const to = c + j * ldc;
        for (I64 i = 0; i < m; ++i) to[i] = beta == 0 ? 0 : beta * to[i];
        for (I64 p = 0; p < k; ++p) {
            const REAL factor = alpha * (tb == 'N' ? b[p + j * ldb] : b[j + p * ldb]);
            if (ta == 'N') {
                for (I64 i = 0; i < m; ++i) to[i] += factor * a[i + p * lda];
            } else {
                for (I64 i = 0; i < m; ++i) to[i] += factor * a[p + i * lda];
            }
        }
    }
}"""),
    "getrf": Text("""\
INLINE void PREFIXgetrf_TYPE(I64 m, I64 n, REAL* a, I64 lda, I32* pivots, I32* info) {
    *info = 0;
    for (I64 k = 0; k < m && k < n; ++k) {
        I64 p = k;
        for (I64 i = k + 1; i < m; ++i) p = FABS(a[i + k * lda]) > FABS(a[p + k * lda]) ? i : p;
        pivots[k] = (I32)(p + 1);
        if (a[p + k * lda] == 0) {
            *info = *info == 0 ? (I32)(k + 1) : *info;
            continue;
        }
        for (I64 j = 0; j < n && p != k; ++j) {
            const REAL t = a[k + j * lda];
            a[k + j * lda] = a[p + j * lda];
            a[p + j * lda] = t;
        }
        for (I64 i = k + 1; i < m; ++i) a[i + k * lda] /= a[k + k * lda];
        for (I64 j = k + 1; j < n; ++j) {
            const REAL factor = a[k + j * lda];
            for (I64 i = k + 1; i < m; ++i) a[i + j * lda] -= a[i + k * lda] * factor;
        }
    }
}"""),
    "trtrs": Text("""\
INLINE void PREFIXtrtrs_TYPE(char triangle, char turned, char diagonal, I64 n, I64 columns, const REAL* a, I64 lda,
                             REAL* b, I64 ldb, I32* info) {
    const I64 down = turned == 'N' ? 1 : lda, across = turned == 'N' ? lda : 1;
    const int lower = (triangle == 'L') == (turned == 'N');
    *info = 0;
    for (I64 i = 0; i < n && diagonal == 'N'; ++i) {
        if (a[i + i * lda] == 0) {
            *info = (I32)(i + 1);
            return;
        }
    }
    for (I64 c = 0; c < columns; ++c) {
        REAL* const x = b + c * ldb;
        for (I64 s = 0; s < n; ++s) {
            const I64 i = lower ? s : n - 1 - s;
            REAL total = x[i];
            for (I64 j = lower ? 0 : i + 1; j < (lower ? i : n); ++j) total -= a[i * down + j * across] * x[j];
            x[i] = diagonal == 'N' ? total / a[i + i * lda] : total;
        }
    }
}"""),
    "gesv": Text(
        """\
INLINE void PREFIXgesv_TYPE(I64 n, I64 columns, REAL* a, I64 lda, I32* pivots, REAL* b, I64 ldb, I32* info) {
    I32 none = 0;
    PREFIXgetrf_TYPE(n, n, a, lda, pivots, info);
    if (*info != 0) return;
    for (I64 c = 0; c < columns; ++c) {
        for (I64 k = 0; k < n; ++k) {
            const I64 p = pivots[k] - 1;
            const REAL t = b[k + c * ldb];
            b[k + c * ldb] = b[p + c * ldb];
            b[p + c * ldb] = t;
        }
    }
    PREFIXtrtrs_TYPE('L', 'N', 'U', n, columns, a, lda, b, ldb, &none);
    PREFIXtrtrs_TYPE('U', 'N', 'N', n, columns, a, lda, b, ldb, &none);
}""",
        ("getrf", "trtrs"),
    ),
    "potrf": Text("""\
INLINE void PREFIXpotrf_TYPE(char triangle, I64 n, REAL* a, I64 lda, I32* info) {
    const I64 down = triangle == 'U' ? 1 : lda, across = triangle == 'U' ? lda : 1;
    *info = 0;
    for (I64 j = 0; j < n; ++j) {
        REAL* const own = a + j * across;
        REAL square = own[j * down];
        for (I64 k = 0; k < j; ++k) square -= own[k * down] * own[k * down];
        if (!(square > 0)) {
            *info = (I32)(j + 1);
            return;
        }
        own[j * down] = SQRT(square);
        for (I64 i = j + 1; i < n; ++i) {
            REAL* const other = a + i * across;
            REAL total = other[j * down];
            for (I64 k = 0; k < j; ++k) total -= own[k * down] * other[k * down];
            other[j * down] = total / own[j * down];
        }
    }
}"""),
    # the slope of log Γ: recurrence up to 10, then Stirling's series; reflection left of one half
    "psi": Text("""\
INLINE REAL PREFIXpsi_TYPE(REAL at) {
    const double pi = 3.14159265358979323846;
    double x = at, total = 0.0;
    if (x <= 0.0 && x == FLOOR(x)) return (REAL)(x == 0.0 ? -1.0 / x : NOTHING);
    if (x < 0.5) {
        total = -pi / TAN(pi * (x - FLOOR(x)));
        x = 1.0 - x;
    }
    for (; x < 10.0; x += 1.0) total -= 1.0 / x;
    const double w = 1.0 / (x * x);
    const double tail = w * (1.0 / 12 - w * (1.0 / 120 - w * (1.0 / 252 - w * (1.0 / 240 - w * (1.0 / 132
                        - w * (691.0 / 32760 - w * (1.0 / 12)))))));
    return (REAL)(total + LOG(x) - 0.5 / x - tail);
}"""),
    "ndtr": Text("""\
INLINE REAL PREFIXndtr_TYPE(REAL x) {
    return (REAL)(0.5 * ERFC(-0.70710678118654752440 * x));
}"""),
    "entr": Text("""\
INLINE REAL PREFIXentr_TYPE(REAL x) {
    return x > 0 ? (REAL)(-x * LOG((double)x)) : (REAL)(x == 0 ? 0.0 : x != x ? x : -INFINITE);
}"""),
    "betaln": Text("""\
INLINE REAL PREFIXbetaln_TYPE(REAL a, REAL b) {
    return (REAL)(LGAMMA((double)a) + LGAMMA((double)b) - LGAMMA((double)a + b));
}"""),
}


def routine(name: str, words: Mapping[str, str]) -> list[str]:
    """The lines of a function, with the language's own words."""
    text = ROUTINES[name].text
    for word, meaning in words.items():
        text = text.replace(word, meaning)
    return text.splitlines()
