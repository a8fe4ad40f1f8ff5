// wengert/dual.hpp - numbers that carry N derivatives, for function templates in C++17.
//
//   #include <wengert/dual.hpp>
//   template <class T> T sigmoid(const T& x) { return T(1) / (T(1) + exp(-x)); }
//   wengert::dual<double, 1> x(2.0, 0);      // value 2, derivative number 0 is 1
//   auto y = sigmoid(x);                     // y.value == 0.8808, y.slopes[0] == 0.10499
//
// Duals nest: dual<dual<double, 1>, 1> carries second derivatives. Nothing is allocated, nothing is
// thrown. A derivative that is zero stays zero where a slope is infinite (sqrt at 0), and a
// conversion that would drop derivatives does not compile. Include it once more after Eigen, and
// Eigen's matrices and tensors hold duals.

#ifndef WENGERT_DUAL_HPP
#define WENGERT_DUAL_HPP

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <type_traits>

namespace wengert {

template <class V, int N>
struct dual;

template <class S>
using if_arithmetic = std::enable_if_t<std::is_arithmetic<S>::value, int>;

// loops over slopes are for the vector unit: they are not unrolled before it has seen them
#if defined(__clang__)
#define WENGERT_EACH(I) for (int I = 0; I < N; ++I)
#elif defined(__GNUC__)
#define WENGERT_EACH(I) _Pragma("GCC ivdep") for (int I = 0; I < N; ++I)
#else
#define WENGERT_EACH(I) for (int I = 0; I < N; ++I)
#endif

// ---- products in which zero times anything is zero ------------------------------------------------

template <class S, if_arithmetic<S> = 0>
inline S scaled(S g, S slope) {
  const S product = g * slope;  // (computed in any case, so that loops of it are vectors)
  return g == S(0) ? S(0) : product;
}

template <class V, int N>
inline dual<V, N> scaled(const dual<V, N>& g, const dual<V, N>& slope) {
  dual<V, N> r(scaled(g.value, slope.value), typename dual<V, N>::unset());
  WENGERT_EACH(i) r.slopes[i] = scaled(g.slopes[i], slope.value) + scaled(g.value, slope.slopes[i]);
  return r;
}

// ---- the number ---------------------------------------------------------------------------------------

template <class V, int N>
struct dual {
  static_assert(N >= 1, "a dual carries at least one derivative");
  V value;
  V slopes[N];

  dual() : value(), slopes() {}
  template <class S, std::enable_if_t<std::is_arithmetic<S>::value || std::is_same<S, V>::value, int> = 0>
  dual(const S& number) : value(number), slopes() {}  // a constant
  dual(const V& number, int variable) : value(number), slopes() { slopes[variable] = V(1); }
  struct unset {};
  dual(const V& number, unset) : value(number) {}  // slopes follow
  dual(const dual&) = default;
  dual& operator=(const dual&) = default;

  // integers have no derivative to lose
  template <class I, std::enable_if_t<std::is_integral<I>::value && !std::is_same<I, bool>::value, int> = 0>
  explicit operator I() const { return static_cast<I>(value); }
  explicit operator bool() const { return static_cast<bool>(value); }

  dual operator+() const { return *this; }
  dual operator-() const {
    dual r(V(-value), unset());
    WENGERT_EACH(i) r.slopes[i] = -slopes[i];
    return r;
  }

  friend dual operator+(const dual& a, const dual& b) {
    dual r(V(a.value + b.value), unset());
    WENGERT_EACH(i) r.slopes[i] = a.slopes[i] + b.slopes[i];
    return r;
  }
  friend dual operator-(const dual& a, const dual& b) {
    dual r(V(a.value - b.value), unset());
    WENGERT_EACH(i) r.slopes[i] = a.slopes[i] - b.slopes[i];
    return r;
  }
  friend dual operator*(const dual& a, const dual& b) {
    dual r(V(a.value * b.value), unset());
    WENGERT_EACH(i) r.slopes[i] = scaled(a.slopes[i], b.value) + scaled(b.slopes[i], a.value);
    return r;
  }
  friend dual operator/(const dual& a, const dual& b) {
    const V y = a.value / b.value;
    dual r(y, unset());
    const V left = V(1) / b.value, right = -y * left;
    WENGERT_EACH(i) r.slopes[i] = scaled(a.slopes[i], left) + scaled(b.slopes[i], right);
    return r;
  }

  // with plain numbers, half of the work is not there
  template <class S, if_arithmetic<S> = 0>
  friend dual operator+(const dual& a, S b) { dual r(a); r.value = a.value + V(b); return r; }
  template <class S, if_arithmetic<S> = 0>
  friend dual operator+(S a, const dual& b) { dual r(b); r.value = V(a) + b.value; return r; }
  template <class S, if_arithmetic<S> = 0>
  friend dual operator-(const dual& a, S b) { dual r(a); r.value = a.value - V(b); return r; }
  template <class S, if_arithmetic<S> = 0>
  friend dual operator-(S a, const dual& b) { dual r(-b); r.value = V(a) - b.value; return r; }
  template <class S, if_arithmetic<S> = 0>
  friend dual operator*(const dual& a, S b) { return along(a, V(a.value * V(b)), V(b)); }
  template <class S, if_arithmetic<S> = 0>
  friend dual operator*(S a, const dual& b) { return along(b, V(V(a) * b.value), V(a)); }
  template <class S, if_arithmetic<S> = 0>
  friend dual operator/(const dual& a, S b) {
    const V c(b);
    dual r(V(a.value / c), unset());
    WENGERT_EACH(i) r.slopes[i] = a.slopes[i] == V(0) ? V(0) : V(a.slopes[i] / c);
    return r;
  }
  template <class S, if_arithmetic<S> = 0>
  friend dual operator/(S a, const dual& b) {
    const V y = V(a) / b.value;
    return along(b, y, V(-y / b.value));
  }

  template <class S> dual& operator+=(const S& b) { return *this = *this + b; }
  template <class S> dual& operator-=(const S& b) { return *this = *this - b; }
  template <class S> dual& operator*=(const S& b) { return *this = *this * b; }
  template <class S> dual& operator/=(const S& b) { return *this = *this / b; }
  dual& operator++() { value = value + V(1); return *this; }
  dual& operator--() { value = value - V(1); return *this; }

  // the chain rule: f(a), of which value and slope are known
  friend dual along(const dual& a, const V& y, const V& slope) {
    dual r(y, unset());
    WENGERT_EACH(i) r.slopes[i] = scaled(a.slopes[i], slope);
    return r;
  }
  // the same for two arguments
  friend dual along(const dual& a, const dual& b, const V& y, const V& left, const V& right) {
    dual r(y, unset());
    WENGERT_EACH(i) r.slopes[i] = scaled(a.slopes[i], left) + scaled(b.slopes[i], right);
    return r;
  }

  template <class Stream>
  friend Stream& operator<<(Stream& out, const dual& a) { out << a.value; return out; }
};

#define WENGERT_COMPARE(OP)                                                                          \
  template <class V, int N>                                                                          \
  inline bool operator OP(const dual<V, N>& a, const dual<V, N>& b) { return a.value OP b.value; }   \
  template <class V, int N, class S, if_arithmetic<S> = 0>                                           \
  inline bool operator OP(const dual<V, N>& a, S b) { return a.value OP V(b); }                      \
  template <class V, int N, class S, if_arithmetic<S> = 0>                                           \
  inline bool operator OP(S a, const dual<V, N>& b) { return V(a) OP b.value; }
WENGERT_COMPARE(<)
WENGERT_COMPARE(<=)
WENGERT_COMPARE(>)
WENGERT_COMPARE(>=)
WENGERT_COMPARE(==)
WENGERT_COMPARE(!=)
#undef WENGERT_COMPARE

// ---- functions of one argument: x is the argument, y the value ----------------------------------------

#define WENGERT_UNARY(NAME, SLOPE)                          \
  template <class V, int N>                                 \
  inline dual<V, N> NAME(const dual<V, N>& a) {             \
    using std::NAME;                                        \
    using std::exp; using std::log; using std::sqrt;        \
    using std::sin; using std::cos; using std::sinh; using std::cosh; \
    const V& x = a.value;                                   \
    const V y = NAME(x);                                    \
    (void)x;                                                \
    const V slope = SLOPE;                                  \
    return along(a, y, slope);                              \
  }
WENGERT_UNARY(exp, y)
WENGERT_UNARY(exp2, y * V(0.693147180559945309417))
WENGERT_UNARY(expm1, y + V(1))
WENGERT_UNARY(log, V(1) / x)
WENGERT_UNARY(log2, V(1.44269504088896340736) / x)
WENGERT_UNARY(log10, V(0.434294481903251827651) / x)
WENGERT_UNARY(log1p, V(1) / (V(1) + x))
WENGERT_UNARY(sqrt, V(0.5) / y)
WENGERT_UNARY(cbrt, V(1) / (V(3) * y * y))
WENGERT_UNARY(sin, cos(x))
WENGERT_UNARY(cos, -sin(x))
WENGERT_UNARY(tan, V(1) + y * y)
WENGERT_UNARY(asin, V(1) / sqrt((V(1) - x) * (V(1) + x)))
WENGERT_UNARY(acos, V(-1) / sqrt((V(1) - x) * (V(1) + x)))
WENGERT_UNARY(atan, V(1) / (V(1) + x * x))
WENGERT_UNARY(sinh, cosh(x))
WENGERT_UNARY(cosh, sinh(x))
WENGERT_UNARY(tanh, (V(1) - y) * (V(1) + y))
WENGERT_UNARY(asinh, V(1) / sqrt(V(1) + x * x))
WENGERT_UNARY(acosh, V(1) / sqrt((x - V(1)) * (x + V(1))))
WENGERT_UNARY(atanh, V(1) / ((V(1) - x) * (V(1) + x)))
WENGERT_UNARY(erf, V(1.12837916709551257390) * exp(-x * x))
WENGERT_UNARY(erfc, V(-1.12837916709551257390) * exp(-x * x))
WENGERT_UNARY(floor, V(0))
WENGERT_UNARY(ceil, V(0))
WENGERT_UNARY(trunc, V(0))
WENGERT_UNARY(round, V(0))
WENGERT_UNARY(rint, V(0))
WENGERT_UNARY(nearbyint, V(0))
// at 0 the slope is 0, the mean of the two sides
WENGERT_UNARY(abs, V((x > V(0)) - (x < V(0))))
#undef WENGERT_UNARY

template <class V, int N>
inline dual<V, N> fabs(const dual<V, N>& a) { return abs(a); }

// The slope of log Γ. Recurrence up to 10, then Stirling's series; reflection left of one half.
template <class T>
inline T digamma(T x) {
  using std::log; using std::tan;
  const T pi(3.14159265358979323846);
  if (x < T(0.5)) return digamma(T(1) - x) - pi / tan(pi * x);
  T shift(0);
  while (x < T(10)) { shift = shift + T(1) / x; x = x + T(1); }
  const T w = T(1) / (x * x);
  const T tail = w * (T(1.0 / 12) - w * (T(1.0 / 120) - w * (T(1.0 / 252) - w * (T(1.0 / 240) - w * (T(1.0 / 132)
                 - w * (T(691.0 / 32760) - w * T(1.0 / 12)))))));
  return log(x) - T(0.5) / x - tail - shift;
}
template <class V, int N>
inline dual<V, N> lgamma(const dual<V, N>& a) { using std::lgamma; return along(a, V(lgamma(a.value)), digamma(a.value)); }
template <class V, int N>
inline dual<V, N> tgamma(const dual<V, N>& a) {
  using std::tgamma;
  const V y = tgamma(a.value);
  return along(a, y, V(y * digamma(a.value)));
}

// ---- functions of two and three arguments ---------------------------------------------------------------

template <class V, int N, class S, if_arithmetic<S> = 0>
inline dual<V, N> pow(const dual<V, N>& a, S p) {
  using std::pow;
  if (p == S(0)) return dual<V, N>(V(1));
  return along(a, V(pow(a.value, p)), V(V(p) * pow(a.value, p - S(1))));
}
template <class V, int N>
inline dual<V, N> pow(const dual<V, N>& a, const dual<V, N>& p) {
  using std::pow; using std::log;
  const V y = pow(a.value, p.value);
  const V left = p.value == V(0) ? V(0) : V(p.value * pow(a.value, V(p.value - V(1))));
  const V right = a.value == V(0) && p.value > V(0) ? V(0) : V(y * log(a.value));
  return along(a, p, y, left, right);
}
template <class V, int N, class S, if_arithmetic<S> = 0>
inline dual<V, N> pow(S a, const dual<V, N>& p) { return pow(dual<V, N>(V(a)), p); }

#define WENGERT_WITH_NUMBERS(NAME)                                                                          \
  template <class V, int N, class S, if_arithmetic<S> = 0>                                                  \
  inline dual<V, N> NAME(const dual<V, N>& a, S b) { return NAME(a, dual<V, N>(V(b))); }                    \
  template <class V, int N, class S, if_arithmetic<S> = 0>                                                  \
  inline dual<V, N> NAME(S a, const dual<V, N>& b) { return NAME(dual<V, N>(V(a)), b); }

template <class V, int N>
inline dual<V, N> atan2(const dual<V, N>& y, const dual<V, N>& x) {
  using std::atan2;
  const V square = x.value * x.value + y.value * y.value;
  return along(y, x, V(atan2(y.value, x.value)), V(x.value / square), V(-y.value / square));
}
WENGERT_WITH_NUMBERS(atan2)

template <class V, int N>
inline dual<V, N> hypot(const dual<V, N>& x, const dual<V, N>& y) {
  using std::hypot;
  const V r = hypot(x.value, y.value);
  if (r == V(0)) return along(x, y, r, V(0), V(0));  // the middle of all slopes, as of abs
  return along(x, y, r, V(x.value / r), V(y.value / r));
}
WENGERT_WITH_NUMBERS(hypot)

template <class V, int N>
inline dual<V, N> fmod(const dual<V, N>& x, const dual<V, N>& y) {
  using std::fmod; using std::trunc;
  return along(x, y, V(fmod(x.value, y.value)), V(1), V(-trunc(x.value / y.value)));
}
WENGERT_WITH_NUMBERS(fmod)

template <class V, int N>
inline dual<V, N> fmax(const dual<V, N>& a, const dual<V, N>& b) { return b != b || a >= b ? a : b; }
WENGERT_WITH_NUMBERS(fmax)
template <class V, int N>
inline dual<V, N> fmin(const dual<V, N>& a, const dual<V, N>& b) { return b != b || a <= b ? a : b; }
WENGERT_WITH_NUMBERS(fmin)
template <class V, int N>
inline dual<V, N> max(const dual<V, N>& a, const dual<V, N>& b) { return a < b ? b : a; }
WENGERT_WITH_NUMBERS(max)
template <class V, int N>
inline dual<V, N> min(const dual<V, N>& a, const dual<V, N>& b) { return b < a ? b : a; }
WENGERT_WITH_NUMBERS(min)

template <class V, int N>
inline bool signbit(const dual<V, N>& a) { using std::signbit; return signbit(a.value); }
template <class V, int N>
inline dual<V, N> copysign(const dual<V, N>& a, const dual<V, N>& b) { return signbit(a) == signbit(b) ? a : -a; }
WENGERT_WITH_NUMBERS(copysign)
template <class V, int N>
inline dual<V, N> fdim(const dual<V, N>& a, const dual<V, N>& b) { return a > b ? a - b : dual<V, N>(V(0)); }
WENGERT_WITH_NUMBERS(fdim)
#undef WENGERT_WITH_NUMBERS

template <class V, int N>
inline dual<V, N> fma(const dual<V, N>& a, const dual<V, N>& b, const dual<V, N>& c) { return a * b + c; }

template <class V, int N>
inline bool isfinite(const dual<V, N>& a) { using std::isfinite; return isfinite(a.value); }
template <class V, int N>
inline bool isnan(const dual<V, N>& a) { using std::isnan; return isnan(a.value); }
template <class V, int N>
inline bool isinf(const dual<V, N>& a) { using std::isinf; return isinf(a.value); }

// Eigen's names for real numbers
template <class V, int N>
inline dual<V, N> conj(const dual<V, N>& a) { return a; }
template <class V, int N>
inline dual<V, N> real(const dual<V, N>& a) { return a; }
template <class V, int N>
inline dual<V, N> imag(const dual<V, N>&) { return dual<V, N>(V(0)); }
template <class V, int N>
inline dual<V, N> abs2(const dual<V, N>& a) { return a * a; }

}  // namespace wengert

namespace std {
template <class V, int N>
class numeric_limits<wengert::dual<V, N>> : public numeric_limits<V> {};
}  // namespace std

#ifdef WENGERT_NAMES_IN_STD  // so that std::exp(x) in a template finds them too
namespace std {
using wengert::exp; using wengert::exp2; using wengert::expm1;
using wengert::log; using wengert::log2; using wengert::log10; using wengert::log1p;
using wengert::sqrt; using wengert::cbrt; using wengert::pow; using wengert::hypot;
using wengert::sin; using wengert::cos; using wengert::tan;
using wengert::asin; using wengert::acos; using wengert::atan; using wengert::atan2;
using wengert::sinh; using wengert::cosh; using wengert::tanh;
using wengert::asinh; using wengert::acosh; using wengert::atanh;
using wengert::erf; using wengert::erfc; using wengert::lgamma; using wengert::tgamma;
using wengert::abs; using wengert::fabs; using wengert::fmod; using wengert::fma; using wengert::fdim;
using wengert::fmax; using wengert::fmin; using wengert::copysign; using wengert::signbit;
using wengert::floor; using wengert::ceil; using wengert::trunc; using wengert::round;
using wengert::rint; using wengert::nearbyint;
using wengert::isfinite; using wengert::isnan; using wengert::isinf;
}  // namespace std
#endif

#endif  // WENGERT_DUAL_HPP

// ---- Eigen, where it has been included before ----------------------------------------------------------

#if defined(EIGEN_CORE_H) && !defined(WENGERT_DUAL_EIGEN)
#define WENGERT_DUAL_EIGEN

namespace Eigen {

template <class V, int N>
struct NumTraits<wengert::dual<V, N>> : NumTraits<V> {
  using Real = wengert::dual<V, N>;
  using NonInteger = wengert::dual<V, N>;
  using Nested = wengert::dual<V, N>;
  using Literal = typename NumTraits<V>::Literal;
  enum {
    IsComplex = 0, IsInteger = 0, IsSigned = 1, RequireInitialization = 1,
    ReadCost = (N + 1) * int(NumTraits<V>::ReadCost),
    AddCost = (N + 1) * int(NumTraits<V>::AddCost),
    MulCost = (2 * N + 1) * int(NumTraits<V>::MulCost)
  };
  static Real epsilon() { return Real(NumTraits<V>::epsilon()); }
  static Real dummy_precision() { return Real(NumTraits<V>::dummy_precision()); }
  static Real highest() { return Real(NumTraits<V>::highest()); }
  static Real lowest() { return Real(NumTraits<V>::lowest()); }
  static Real infinity() { return Real(NumTraits<V>::infinity()); }
  static Real quiet_NaN() { return Real(NumTraits<V>::quiet_NaN()); }
};

#define WENGERT_MIXES(S)                                                                                           \
  template <class V, int N, class Op>                                                                              \
  struct ScalarBinaryOpTraits<wengert::dual<V, N>, S, Op> { using ReturnType = wengert::dual<V, N>; };             \
  template <class V, int N, class Op>                                                                              \
  struct ScalarBinaryOpTraits<S, wengert::dual<V, N>, Op> { using ReturnType = wengert::dual<V, N>; };
WENGERT_MIXES(double)
WENGERT_MIXES(float)
WENGERT_MIXES(int)
WENGERT_MIXES(long)
#undef WENGERT_MIXES

}  // namespace Eigen
#endif
