// The gradient of a Gaussian mixture's log-posterior by hand; threads over blocks of points.
#include <cmath>
#include <cstdint>
#include <vector>

namespace {

// Softmax in place; returns the log of the sum of exponentials.
inline double softmax(int64_t k, double* x) {
  double top = x[0];
  for (int64_t i = 1; i < k; ++i) top = x[i] > top ? x[i] : top;
  double sum = 0;
  for (int64_t i = 0; i < k; ++i) sum += x[i] = std::exp(x[i] - top);
  const double inverse = 1 / sum;
  for (int64_t i = 0; i < k; ++i) x[i] *= inverse;
  return top + std::log(sum);
}

}  // namespace

extern "C" void gmm(int64_t d, int64_t k, int64_t n, const double* alpha, const double* mu, const double* q,
                    const double* l, const double* x, double gamma, double m, double* g_alpha, double* g_mu,
                    double* g_q, double* g_l) {
  const int64_t size = d * (d - 1) / 2;
  std::vector<double> scale(k * d), sums(k, 0.0);
  for (int64_t i = 0; i < k * d; ++i) scale[i] = std::exp(q[i]);
  for (int64_t i = 0; i < k * d; ++i) sums[i / d] += q[i];
  for (int64_t i = 0; i < k; ++i) g_alpha[i] = 0;
  for (int64_t i = 0; i < k * d; ++i) g_mu[i] = g_q[i] = 0;
  for (int64_t i = 0; i < k * size; ++i) g_l[i] = 0;

#pragma omp parallel
  {
    std::vector<double> a(k, 0.0), b(k * d, 0.0), c(k * d, 0.0), e(k * size, 0.0);  // this thread's sums
    std::vector<double> centred(k * d), turned(k * d), term(k);
#pragma omp for schedule(static)
    for (int64_t p = 0; p < n; ++p) {
      const double* point = x + p * d;
      for (int64_t j = 0; j < k; ++j) {
        double *z = &centred[j * d], *y = &turned[j * d];
        const double* lower = l + j * size;
        for (int64_t i = 0; i < d; ++i) z[i] = point[i] - mu[j * d + i];
        for (int64_t i = 0; i < d; ++i) y[i] = scale[j * d + i] * z[i];
        for (int64_t column = 0, at = 0; column < d; ++column) {
          const double here = z[column];
          for (int64_t row = column + 1; row < d; ++row) y[row] += lower[at++] * here;
        }
        double square = 0;
        for (int64_t i = 0; i < d; ++i) square += y[i] * y[i];
        term[j] = alpha[j] + sums[j] - 0.5 * square;
      }
      softmax(k, term.data());
      for (int64_t j = 0; j < k; ++j) {
        const double share = term[j];
        double *z = &centred[j * d], *y = &turned[j * d], *to = &e[j * size];
        const double* lower = l + j * size;
        a[j] += share;
        for (int64_t i = 0; i < d; ++i) c[j * d + i] += share * (1 - scale[j * d + i] * z[i] * y[i]);
        for (int64_t column = 0, at = 0; column < d; ++column) {
          const double weighted = share * z[column];
          double back = scale[j * d + column] * y[column];
          for (int64_t row = column + 1; row < d; ++row, ++at) {
            to[at] -= weighted * y[row];
            back += lower[at] * y[row];
          }
          b[j * d + column] += share * back;
        }
      }
    }
#pragma omp critical
    {
      for (int64_t i = 0; i < k; ++i) g_alpha[i] += a[i];
      for (int64_t i = 0; i < k * d; ++i) g_mu[i] += b[i], g_q[i] += c[i];
      for (int64_t i = 0; i < k * size; ++i) g_l[i] += e[i];
    }
  }
  std::vector<double> share(alpha, alpha + k);
  softmax(k, share.data());
  for (int64_t i = 0; i < k; ++i) g_alpha[i] -= n * share[i];
  for (int64_t i = 0; i < k * d; ++i) g_q[i] -= gamma * gamma * scale[i] * scale[i] - m;
  for (int64_t i = 0; i < k * size; ++i) g_l[i] -= gamma * gamma * l[i];
}
