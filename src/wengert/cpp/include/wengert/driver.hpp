// wengert/driver.hpp - calls a user's function template on flat arrays, with nested duals inside.
// Included by the files that wg.cpp_function compiles; nobody else needs it.

#ifndef WENGERT_DRIVER_HPP
#define WENGERT_DRIVER_HPP

#include <array>
#include <cstdint>
#include <cstring>
#include <exception>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace wengert {
namespace driver {

using index = std::int64_t;
constexpr int max_rank = 8;
enum status : int { done = 0, measured = 1, threw = 2, reshaped = 3 };

// ---- active numbers: duals of ours, or Eigen's ------------------------------------------------------

#ifdef WENGERT_EIGEN_DUALS
template <class V, int N>
using active = Eigen::AutoDiffScalar<Eigen::Matrix<V, N, 1>>;
template <class V, int N>
void seed(active<V, N>& x, const V& value) { x.value() = value; x.derivatives().setZero(); }
template <class V, int N>
V& slope(active<V, N>& x, int i) { return x.derivatives()(i); }
#else
template <class V, int N>
using active = dual<V, N>;
template <class V, int N>
void seed(active<V, N>& x, const V& value) { x = active<V, N>(value); }
template <class V, int N>
V& slope(active<V, N>& x, int i) { return x.slopes[i]; }
#endif

// Base, then K levels with one direction, then L levels with N unit directions each.
template <class Base, int K, int L, int N>
struct nest { using type = active<typename nest<Base, K, L - 1, N>::type, N>; };
template <class Base, int K, int N>
struct nest<Base, K, 0, N> { using type = active<typename nest<Base, K - 1, 0, N>::type, 1>; };
template <class Base, int N>
struct nest<Base, 0, 0, N> { using type = Base; };

// ---- what a template may take and return: how to make it, and its numbers in NumPy's order -----------

template <class X, class = void>
struct codec {
  static_assert(sizeof(X) == 0,
                "wengert: an argument or result has a type that is not known here; it may be T, double, int, bool, std::vector, "
                "std::array, Eigen::Matrix, Eigen::Array, Eigen::Ref, Eigen::Tensor (in the place of auto, name the type)");
};

template <class X>
struct is_number : std::is_arithmetic<X> {};
template <class V, int N>
struct is_number<dual<V, N>> : std::true_type {};
#ifdef WENGERT_EIGEN_DUALS
template <class D>
struct is_number<Eigen::AutoDiffScalar<D>> : std::true_type {};
#endif

template <class X>
struct codec<X, std::enable_if_t<is_number<X>::value>> {
  using scalar = X;
  using plain = X;
  static constexpr int rank = 0;
  static constexpr void extents(index*) {}
  static void resize(X&, const index*) {}
  static void shape(const X&, index*) {}
  template <class F> static void each(X& x, F&& f) { f(x); }
};

template <class E, class A>
struct codec<std::vector<E, A>> {
  using inner = codec<E>;
  using scalar = typename inner::scalar;
  using plain = std::vector<E, A>;
  static constexpr int rank = 1 + inner::rank;
  static constexpr void extents(index* n) { n[0] = -1; inner::extents(n + 1); }
  static void resize(plain& x, const index* n) {
    x.resize(static_cast<std::size_t>(n[0]));
    for (auto& e : x) inner::resize(e, n + 1);
  }
  static void shape(const plain& x, index* n) {
    n[0] = static_cast<index>(x.size());
    inner::extents(n + 1);
    for (int k = 1; k < rank; ++k) n[k] = n[k] < 0 ? 0 : n[k];
    bool first = true;
    for (const auto& e : x) {
      index mine[max_rank];
      inner::shape(e, mine);
      for (int k = 0; k < inner::rank; ++k) {
        if (!first && mine[k] != n[1 + k]) throw "rows of a std::vector result differ in length";
        n[1 + k] = mine[k];
      }
      first = false;
    }
  }
  template <class F> static void each(plain& x, F&& f) { for (auto& e : x) inner::each(e, f); }
};

template <class E, std::size_t M>
struct codec<std::array<E, M>> {
  using inner = codec<E>;
  using scalar = typename inner::scalar;
  using plain = std::array<E, M>;
  static constexpr int rank = 1 + inner::rank;
  static constexpr void extents(index* n) { n[0] = static_cast<index>(M); inner::extents(n + 1); }
  static void resize(plain& x, const index* n) { for (auto& e : x) inner::resize(e, n + 1); }
  static void shape(const plain& x, index* n) { n[0] = static_cast<index>(M); if (M) inner::shape(x[0], n + 1); }
  template <class F> static void each(plain& x, F&& f) { for (auto& e : x) inner::each(e, f); }
};

#ifdef EIGEN_CORE_H
template <class M, int R, int C>
struct eigen_codec {
  using scalar = typename M::Scalar;
  using plain = M;
  static constexpr bool line = R == 1 || C == 1;
  static constexpr int rank = line ? 1 : 2;
  static constexpr void extents(index* n) {
    if (line) n[0] = R == 1 ? C : R;
    else { n[0] = R; n[1] = C; }
  }
  static void resize(M& x, const index* n) {
    if (line) x.resize(R == 1 ? 1 : n[0], R == 1 ? n[0] : 1);
    else x.resize(n[0], n[1]);
  }
  static void shape(const M& x, index* n) {
    if (line) n[0] = x.size();
    else { n[0] = x.rows(); n[1] = x.cols(); }
  }
  template <class F> static void each(M& x, F&& f) {
    for (index i = 0; i < x.rows(); ++i)
      for (index j = 0; j < x.cols(); ++j) f(x(i, j));
  }
};
template <class S, int R, int C, int O, int MR, int MC>
struct codec<Eigen::Matrix<S, R, C, O, MR, MC>> : eigen_codec<Eigen::Matrix<S, R, C, O, MR, MC>, R, C> {};
template <class S, int R, int C, int O, int MR, int MC>
struct codec<Eigen::Array<S, R, C, O, MR, MC>> : eigen_codec<Eigen::Array<S, R, C, O, MR, MC>, R, C> {};
template <class M, int O, class Stride>
struct codec<Eigen::Ref<M, O, Stride>> : codec<std::remove_const_t<M>> {};
#endif

#ifdef EIGEN_CXX11_TENSOR_TENSOR_H
template <class S, int K, int O, class I>
struct codec<Eigen::Tensor<S, K, O, I>> {
  using plain = Eigen::Tensor<S, K, O, I>;
  using scalar = S;
  static constexpr int rank = K;
  static constexpr void extents(index* n) { for (int k = 0; k < K; ++k) n[k] = -1; }
  static void resize(plain& x, const index* n) {
    Eigen::array<I, K> d;
    for (int k = 0; k < K; ++k) d[static_cast<std::size_t>(k)] = static_cast<I>(n[k]);
    x.resize(d);
  }
  static void shape(const plain& x, index* n) { for (int k = 0; k < K; ++k) n[k] = x.dimension(static_cast<std::size_t>(k)); }
  template <class F> static void each(plain& x, F&& f) {
    Eigen::array<I, K> at;
    at.fill(0);
    const index size = x.size();
    for (index e = 0; e < size; ++e) {
      f(x(at));
      for (int k = K - 1; k >= 0; --k) {
        auto& here = at[static_cast<std::size_t>(k)];
        if (++here < x.dimension(static_cast<std::size_t>(k))) break;
        here = 0;
      }
    }
  }
};
#endif

// ---- the signature -------------------------------------------------------------------------------------

template <class X>
struct results_of { using type = std::tuple<X>; static std::tuple<X> pack(X&& x) { return std::tuple<X>(std::move(x)); } };
template <class... X>
struct results_of<std::tuple<X...>> {
  using type = std::tuple<std::decay_t<X>...>;
  static type pack(std::tuple<X...>&& x) { return type(std::move(x)); }
};
template <class A, class B>
struct results_of<std::pair<A, B>> {
  using type = std::tuple<std::decay_t<A>, std::decay_t<B>>;
  static type pack(std::pair<A, B>&& x) { return type(std::move(x.first), std::move(x.second)); }
};

template <class F>
struct signature {
  static_assert(sizeof(F) == 0, "wengert: the name does not stand for a function template; write template <class T> T f(const T& x)");
};
template <class... A>
struct signature<void (*)(A...)> {
  static_assert(sizeof...(A) > 1000, "wengert: the function returns nothing; return its results, several of them in a std::tuple");
};
template <class R, class... A>
struct signature<R (*)(A...)> {
  static constexpr int count = sizeof...(A);
  using result = std::decay_t<R>;
  using store = std::tuple<typename codec<std::decay_t<A>>::plain...>;
  using codecs = std::tuple<codec<std::decay_t<A>>...>;
  // may the function change what it was given?
  static constexpr bool writes[] = {false, (std::is_lvalue_reference<A>::value && !std::is_const<std::remove_reference_t<A>>::value)...};
};
#if defined(__cpp_noexcept_function_type)
template <class R, class... A>
struct signature<R (*)(A...) noexcept> : signature<R (*)(A...)> {};
#endif

template <class C, class T>
constexpr char kind_of() {
  using S = typename C::scalar;
  return std::is_same<S, T>::value ? 'T' : std::is_same<S, bool>::value ? 'b' : std::is_integral<S>::value ? 'i' : 'd';
}

template <class C, class T>
std::string described() {
  std::string text = std::string("[\"") + kind_of<C, T>() + "\"";
  index n[max_rank + 1];
  C::extents(n);
  for (int k = 0; k < C::rank; ++k) text += "," + std::to_string(n[k]);
  return text + "]";
}

template <class T, class Tuple, std::size_t... I>
std::string listed(std::index_sequence<I...>) {
  std::string text;
  ((text += (I ? "," : "") + described<std::tuple_element_t<I, Tuple>, T>()), ...);
  return "[" + text + "]";
}

template <class Tuple>
struct codecs_of;
template <class... X>
struct codecs_of<std::tuple<X...>> { using type = std::tuple<codec<X>...>; };

template <class T, class F>
std::string signature_text() {
  using S = signature<F>;
  using R = typename codecs_of<typename results_of<typename S::result>::type>::type;
  return "[" + listed<T, typename S::codecs>(std::make_index_sequence<S::count>()) + "," +
         listed<T, R>(std::make_index_sequence<std::tuple_size<R>::value>()) + "," +
         (std::tuple_size<R>::value != 1 || !std::is_same<typename results_of<typename S::result>::type, std::tuple<typename S::result>>::value ? "true" : "false") + "]";
}

// How many active numbers an argument has, if its type says so; -1 if only the call does.
template <class T, class C>
constexpr index fixed_size() {
  if (kind_of<C, T>() != 'T') return 0;
  index n[max_rank + 1] = {}, size = 1;
  C::extents(n);
  for (int k = 0; k < C::rank; ++k) { if (n[k] < 0) return -1; size *= n[k]; }
  return size;
}

template <class T, class... C>
constexpr index fixed_total(std::tuple<C...>*) {
  const index sizes[] = {0, fixed_size<T, C>()...};
  index total = 0;
  for (index n : sizes) {
    if (n < 0) return -1;
    total += n;
  }
  return total;
}
// Directions carried at once by each of L levels.
template <class T, class F, int L>
constexpr int chunk() {
  constexpr index total = fixed_total<T>(static_cast<typename signature<F>::codecs*>(nullptr));
  constexpr int most = L <= 1 ? 8 : L == 2 ? 4 : 2;
  return total > 0 && total < most ? static_cast<int>(total) : most;
}

// ---- one call ------------------------------------------------------------------------------------------

struct request {
  const void* const* arguments;   // passive numbers: double, int64, bool
  const index* strides;           // from one point of a batch to the next, in numbers; 0: shared
  const index* dims;              // the arguments' extents, one after the other
  const void* const* directions;  // K arrays of all active numbers
  const index* direction_strides;
  const index* const* places;     // L arrays: which column an active number has, or -1
  const index* columns;           // L counts of columns
  int same;                       // do all L levels have the same columns?
  index points;
  void* const* results;
  index* result_dims;             // in: expected (with `measure`: out), one after the other
  int measure;
  char* message;
  index message_size;
};

template <class Base, int K, int L, int N, class F>
struct caller {
  using T = typename nest<Base, K, L, N>::type;
  using S = signature<F>;
  using packed = results_of<typename S::result>;
  using results = typename packed::type;
  using argument_codecs = typename S::codecs;
  using result_codecs = typename codecs_of<results>::type;
  static constexpr std::size_t inputs = S::count, outputs = std::tuple_size<results>::value;

  const request& q;
  F function;
  index point = 0;
  index start[L > 0 ? L : 1] = {};
  index seen = 0;  // active numbers filled so far

  // -- in
  template <int k, int l, class X>
  void fill_level(X& x, Base value, index e) {
    if constexpr (l > 0) {
      using V = typename nest<Base, K, l - 1, N>::type;
      V inner;
      fill_level<k, l - 1>(inner, value, e);
      seed<V, N>(x, inner);
      const index at = q.places[l - 1][e] - start[l - 1];
      if (q.places[l - 1][e] >= 0 && at >= 0 && at < N) slope<V, N>(x, static_cast<int>(at)) = V(Base(1));
    } else if constexpr (k > 0) {
      using V = typename nest<Base, k - 1, 0, N>::type;
      V inner;
      fill_level<k - 1, 0>(inner, value, e);
      seed<V, 1>(x, inner);
      const Base* v = static_cast<const Base*>(q.directions[k - 1]) + point * q.direction_strides[k - 1];
      slope<V, 1>(x, 0) = V(v[e]);
    } else {
      x = value;
    }
  }

  template <std::size_t I>
  void load(typename S::store& store, const index*& dims) {
    using C = std::tuple_element_t<I, argument_codecs>;
    auto& x = std::get<I>(store);
    C::resize(x, dims);
    dims += C::rank;
    constexpr char kind = kind_of<C, T>();
    const index from = point * q.strides[I];
    if constexpr (kind == 'T') {
      const Base* p = static_cast<const Base*>(q.arguments[I]) + from;
      C::each(x, [&](auto& e) { fill_level<K, L>(e, *p++, seen++); });
    } else {
      using P = std::conditional_t<kind == 'b', bool, std::conditional_t<kind == 'i', std::int64_t, double>>;
      const P* p = static_cast<const P*>(q.arguments[I]) + from;
      C::each(x, [&](auto& e) { e = static_cast<std::decay_t<decltype(e)>>(*p++); });
    }
  }
  template <std::size_t... I>
  void load_all(typename S::store& store, std::index_sequence<I...>) {
    const index* dims = q.dims;
    seen = 0;
    (load<I>(store, dims), ...);
    (void)dims; (void)store;
  }
  template <std::size_t... I>
  results call(typename S::store& store, std::index_sequence<I...>) {
    (void)store;
    return packed::pack(function(std::get<I>(store)...));
  }

  // -- out
  template <std::size_t... I>
  bool fits(results& found, std::index_sequence<I...>) {
    index* dims = q.result_dims;
    bool same = true;
    (
        [&] {
          using C = std::tuple_element_t<I, result_codecs>;
          index n[max_rank + 1];
          C::shape(std::get<I>(found), n);
          for (int k = 0; k < C::rank; ++k) {
            same = same && dims[k] == n[k];
            dims[k] = n[k];
          }
          dims += C::rank;
        }(),
        ...);
    return same;
  }
  template <std::size_t I>
  void store_result(results& found) {
    using C = std::tuple_element_t<I, result_codecs>;
    index n[max_rank + 1], size = 1;
    C::shape(std::get<I>(found), n);
    for (int k = 0; k < C::rank; ++k) size *= n[k];
    constexpr char kind = kind_of<C, T>();
    using P = std::conditional_t<kind == 'T', Base, std::conditional_t<kind == 'b', bool, std::conditional_t<kind == 'i', std::int64_t, double>>>;
    P* p = static_cast<P*>(q.results[I]) + point * size;
    C::each(std::get<I>(found), [&](auto& e) { *p++ = static_cast<P>(e); });
  }

  template <int k, int l, class X>
  void write(X& y, Base* out, index width) {  // `width`: numbers behind one column of this level
    if constexpr (l > 0) {
      using V = typename nest<Base, K, l - 1, N>::type;
      const index count = q.columns[l - 1];
      for (int i = 0; i < N && start[l - 1] + i < count; ++i) {
        write<k, l - 1>(slope<V, N>(y, i), out + (start[l - 1] + i) * width, width * count);
      }
    } else if constexpr (k > 0) {
      using V = typename nest<Base, k - 1, 0, N>::type;
      write<k - 1, 0>(slope<V, 1>(y, 0), out, width);
    } else {
      *out = y;
    }
  }
  template <std::size_t... I>
  void store_slopes(results& found, std::index_sequence<I...>) {
    index rows = 0;
    ((kind_of<std::tuple_element_t<I, result_codecs>, T>() == 'T'
          ? std::tuple_element_t<I, result_codecs>::each(std::get<I>(found), [&](auto&) { ++rows; }) : void()), ...);
    index block = 1;
    for (int l = 0; l < L; ++l) block *= q.columns[l];
    Base* out = static_cast<Base*>(q.results[0]) + point * rows * block;
    (
        [&] {
          using C = std::tuple_element_t<I, result_codecs>;
          if constexpr (kind_of<C, T>() == 'T') {
            C::each(std::get<I>(found), [&](auto& y) {
              write<K, L>(y, out, 1);
              if (L == 2 && q.same && start[0] != start[1]) mirror(out);
              out += block;
            });
          }
        }(),
        ...);
  }
  void mirror(Base* out) {  // second derivatives commute: the block across the diagonal
    const index n = q.columns[0];
    for (index i = start[0]; i < start[0] + N && i < n; ++i)
      for (index j = start[L - 1]; j < start[L - 1] + N && j < n; ++j) out[j * n + i] = out[i * n + j];
  }

  // -- all chunks of columns, then all points
  bool next_chunk() {
    for (int l = 0; l < L; ++l) {
      start[l] += N;
      if (start[l] < q.columns[l]) {
        if (L == 2 && q.same && l == 0 && start[0] > start[L - 1]) { start[0] = 0; continue; }
        return true;
      }
      start[l] = 0;
    }
    return false;
  }
  int run() {
    typename S::store store;
    bool fresh = true;
    for (; point < q.points; ++point) {
      do {
        if (!fresh) for (bool w : S::writes) if (w) { store = typename S::store(); break; }
        fresh = false;
        load_all(store, std::make_index_sequence<inputs>());
        results found = call(store, std::make_index_sequence<inputs>());
        const bool same = fits(found, std::make_index_sequence<outputs>());
        if (q.measure) return measured;
        if (!same) return reshaped;
        if constexpr (K + L == 0) store_all(found, std::make_index_sequence<outputs>());
        else store_slopes(found, std::make_index_sequence<outputs>());
      } while (next_chunk());
    }
    return done;
  }
  template <std::size_t... I>
  void store_all(results& found, std::index_sequence<I...>) { (store_result<I>(found), ...); }
};

inline int say(const request& q, const char* text) {
  std::strncpy(q.message, text, static_cast<std::size_t>(q.message_size) - 1);
  return threw;
}

template <class Base, int K, int L, int N, class F>
int guarded(const request& q, F function) {
  try {
    return caller<Base, K, L, N, F>{q, function}.run();
  } catch (const std::exception& error) {
    return say(q, error.what());
  } catch (const char* text) {
    return say(q, text);
  } catch (...) {
    return say(q, "something that is no std::exception was thrown");
  }
}

}  // namespace driver
}  // namespace wengert

#if defined(_WIN32)
#define WENGERT_API extern "C" __declspec(dllexport)
#else
#define WENGERT_API extern "C" __attribute__((visibility("default")))
#endif

#define WENGERT_JOIN_(A, B, C, D) A##B##C##D
#define WENGERT_JOIN(A, B, C, D) WENGERT_JOIN_(A, B, C, D)

// TARGET(T) names the user's function for a number type
#define WENGERT_CALL(BASE, K, L)                                                                 \
  WENGERT_API int WENGERT_JOIN(wengert_call_, K, _, L)(const wengert::driver::request* q) {      \
    using P = wengert::dual<double, 1>;                                                          \
    constexpr int N = wengert::driver::chunk<P, decltype(&TARGET(P)), L>();                      \
    using T = wengert::driver::nest<BASE, K, L, N>::type;                                        \
    return wengert::driver::guarded<BASE, K, L, N>(*q, &TARGET(T));                              \
  }
#define WENGERT_SIGNATURE()                                                                      \
  WENGERT_API const char* wengert_signature() {                                                  \
    using T = wengert::dual<double, 1>;                                                          \
    static const std::string text = wengert::driver::signature_text<T, decltype(&TARGET(T))>();  \
    return text.c_str();                                                                         \
  }

#endif  // WENGERT_DRIVER_HPP
