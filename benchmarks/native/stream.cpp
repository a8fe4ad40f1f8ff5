// What memory gives: a = b + s c on all cores.
#include <cstdint>

extern "C" void triad(int64_t n, const double* b, const double* c, double* a) {
#pragma omp parallel for
  for (int64_t i = 0; i < n; ++i) a[i] = b[i] + 3.0 * c[i];
}
