// The gradient of ADBench's diagonal LSTM by hand: one pass forward that keeps the gates, one back.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

namespace {
inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
}  // namespace

extern "C" void lstm(int64_t layers, int64_t c, int64_t b, const double* main, const double* extra,
                     const double* state, const double* sequence, double* g_main, double* g_extra) {
  const int64_t steps = c - 1, width = 8 * b;
  // per step and layer: input, hidden before, memory before, forget, write, show, change, tanh of memory
  std::vector<double> kept(steps * layers * width), last(steps * b), soft(steps * b);
  std::vector<double> hidden(layers * b), memory(layers * b), x(b), y(b);
  for (int64_t k = 0; k < layers; ++k) {
    std::memcpy(&hidden[k * b], state + 2 * k * b, sizeof(double) * b);
    std::memcpy(&memory[k * b], state + (2 * k + 1) * b, sizeof(double) * b);
  }
  for (int64_t t = 0; t < steps; ++t) {
    for (int64_t i = 0; i < b; ++i) x[i] = sequence[t * b + i] * extra[i];
    for (int64_t k = 0; k < layers; ++k) {
      const double *w = main + 8 * b * k, *v = w + 4 * b;
      double *row = &kept[(t * layers + k) * width], *h = &hidden[k * b], *m = &memory[k * b];
      for (int64_t i = 0; i < b; ++i) {
        const double forget = sigmoid(x[i] * w[i] + v[i]);
        const double write = sigmoid(h[i] * w[b + i] + v[b + i]);
        const double show = sigmoid(x[i] * w[2 * b + i] + v[2 * b + i]);
        const double change = std::tanh(h[i] * w[3 * b + i] + v[3 * b + i]);
        row[i] = x[i];
        row[b + i] = h[i];
        row[2 * b + i] = m[i];
        m[i] = m[i] * forget + write * change;
        const double bent = std::tanh(m[i]);
        row[3 * b + i] = forget;
        row[4 * b + i] = write;
        row[5 * b + i] = show;
        row[6 * b + i] = change;
        row[7 * b + i] = bent;
        x[i] = h[i] = show * bent;
      }
    }
    double sum = 2;
    for (int64_t i = 0; i < b; ++i) {
      last[t * b + i] = x[i];
      sum += soft[t * b + i] = std::exp(x[i] * extra[b + i] + extra[2 * b + i]);
    }
    for (int64_t i = 0; i < b; ++i) soft[t * b + i] /= sum;
  }
  std::memset(g_main, 0, sizeof(double) * 8 * b * layers);
  std::memset(g_extra, 0, sizeof(double) * 3 * b);
  std::vector<double> gh(layers * b, 0.0), gm(layers * b, 0.0), gx(b);
  const double each = -1.0 / (steps * b);
  for (int64_t t = steps - 1; t >= 0; --t) {
    const double* gold = sequence + (t + 1) * b;
    double total = 0;
    for (int64_t i = 0; i < b; ++i) total += gold[i];
    for (int64_t i = 0; i < b; ++i) {
      const double g = each * (gold[i] - total * soft[t * b + i]);
      g_extra[b + i] += g * last[t * b + i];
      g_extra[2 * b + i] += g;
      gx[i] = g * extra[b + i];
    }
    for (int64_t k = layers - 1; k >= 0; --k) {
      const double *w = main + 8 * b * k, *row = &kept[(t * layers + k) * width];
      double *gw = g_main + 8 * b * k, *gv = gw + 4 * b;
      for (int64_t i = 0; i < b; ++i) {
        const double in = row[i], before = row[b + i], was = row[2 * b + i], forget = row[3 * b + i],
                     write = row[4 * b + i], show = row[5 * b + i], change = row[6 * b + i], bent = row[7 * b + i];
        const double g = gx[i] + gh[k * b + i];
        const double m = gm[k * b + i] + g * show * (1 - bent * bent);
        const double a = m * was * forget * (1 - forget), o = g * bent * show * (1 - show);
        const double z = m * change * write * (1 - write), u = m * write * (1 - change * change);
        gw[i] += a * in, gv[i] += a;
        gw[b + i] += z * before, gv[b + i] += z;
        gw[2 * b + i] += o * in, gv[2 * b + i] += o;
        gw[3 * b + i] += u * before, gv[3 * b + i] += u;
        gm[k * b + i] = m * forget;
        gh[k * b + i] = z * w[b + i] + u * w[3 * b + i];
        gx[i] = a * w[i] + o * w[2 * b + i];
      }
    }
    for (int64_t i = 0; i < b; ++i) g_extra[i] += gx[i] * sequence[t * b + i];
  }
}
