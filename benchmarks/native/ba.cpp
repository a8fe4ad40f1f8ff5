// Bundle adjustment by hand: the Jacobian of each observation's error in camera, point and weight.
#include <cmath>
#include <cstdint>

namespace {

// Values and Jacobians of x -> R(r) x, by Rodrigues's formula: dr[i][j] = d y[i] / d r[j], dx likewise.
inline void rotate(const double* r, const double* x, double* y, double dr[3][3], double dx[3][3]) {
  const double square = r[0] * r[0] + r[1] * r[1] + r[2] * r[2];
  if (square == 0) {
    const double spin[3][3] = {{0, -r[2], r[1]}, {r[2], 0, -r[0]}, {-r[1], r[0], 0}};
    const double back[3][3] = {{0, x[2], -x[1]}, {-x[2], 0, x[0]}, {x[1], -x[0], 0}};
    for (int i = 0; i < 3; ++i) {
      y[i] = x[i];
      for (int j = 0; j < 3; ++j) {
        y[i] += spin[i][j] * x[j];
        dx[i][j] = spin[i][j] + (i == j);
        dr[i][j] = back[i][j];
      }
    }
    return;
  }
  const double angle = std::sqrt(square), inverse = 1 / angle, c = std::cos(angle), s = std::sin(angle);
  const double w[3] = {r[0] * inverse, r[1] * inverse, r[2] * inverse};
  const double across[3] = {w[1] * x[2] - w[2] * x[1], w[2] * x[0] - w[0] * x[2], w[0] * x[1] - w[1] * x[0]};
  const double along = w[0] * x[0] + w[1] * x[1] + w[2] * x[2], rest = 1 - c;
  const double spin[3][3] = {{0, -w[2], w[1]}, {w[2], 0, -w[0]}, {-w[1], w[0], 0}};
  const double back[3][3] = {{0, x[2], -x[1]}, {-x[2], 0, x[0]}, {x[1], -x[0], 0}};  // d(w × x)/dw
  double dw[3][3];  // d y / d w, the angle at rest
  for (int i = 0; i < 3; ++i) {
    y[i] = x[i] * c + across[i] * s + w[i] * along * rest;
    for (int j = 0; j < 3; ++j) {
      dx[i][j] = (i == j) * c + s * spin[i][j] + rest * w[i] * w[j];
      dw[i][j] = s * back[i][j] + rest * ((i == j) * along + w[i] * x[j]);
    }
  }
  for (int i = 0; i < 3; ++i) {
    const double turn = -x[i] * s + across[i] * c + w[i] * along * s;  // d y / d angle
    const double radial = dw[i][0] * w[0] + dw[i][1] * w[1] + dw[i][2] * w[2];
    for (int j = 0; j < 3; ++j) dr[i][j] = turn * w[j] + (dw[i][j] - radial * w[j]) * inverse;
  }
}

}  // namespace

extern "C" void ba(int64_t p, const double* cameras, const double* points, const double* weights,
                   const double* features, const int64_t* who, const int64_t* what, double* by_camera,
                   double* by_point, double* by_weight, double* by_prior) {
#pragma omp parallel for schedule(static)
  for (int64_t o = 0; o < p; ++o) {
    const double* camera = cameras + 11 * who[o];
    const double* point = points + 3 * what[o];
    const double weight = weights[o], focal = camera[6], k1 = camera[9], k2 = camera[10];
    const double x[3] = {point[0] - camera[3], point[1] - camera[4], point[2] - camera[5]};
    double y[3], dr[3][3], dx[3][3];
    rotate(camera, x, y, dr, dx);
    const double depth = 1 / y[2], u = y[0] * depth, v = y[1] * depth, r2 = u * u + v * v;
    const double bend = 1 + r2 * (k1 + k2 * r2), slope = 2 * k1 + 4 * k2 * r2;
    // d(bent u, bent v)/d(u, v), then by way of the depth
    const double uu = bend + slope * u * u, uv = slope * u * v, vv = bend + slope * v * v;
    const double down[2][3] = {{uu * depth, uv * depth, -(uu * u + uv * v) * depth},
                               {uv * depth, vv * depth, -(uv * u + vv * v) * depth}};
    const double flat[2] = {u, v};
    for (int i = 0; i < 2; ++i) {
      double* row = by_camera + 22 * o + 11 * i;
      const double scale = weight * focal;
      for (int j = 0; j < 3; ++j) {
        row[j] = scale * (down[i][0] * dr[0][j] + down[i][1] * dr[1][j] + down[i][2] * dr[2][j]);
        const double shift = scale * (down[i][0] * dx[0][j] + down[i][1] * dx[1][j] + down[i][2] * dx[2][j]);
        row[3 + j] = -shift;
        by_point[6 * o + 3 * i + j] = shift;
      }
      row[6] = weight * flat[i] * bend;
      row[7] = i == 0 ? weight : 0;
      row[8] = i == 0 ? 0 : weight;
      row[9] = scale * flat[i] * r2;
      row[10] = row[9] * r2;
      by_weight[2 * o + i] = flat[i] * bend * focal + camera[7 + i] - features[2 * o + i];
    }
    by_prior[o] = -2 * weight;
  }
}
