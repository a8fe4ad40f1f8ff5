// Values and derivatives as somebody writes them by hand who takes the time.
#pragma once
#include "templates.hpp"

inline void hand_sigmoid(const double* in, double* out) {
    const double y = 1 / (1 + std::exp(-in[0]));
    out[0] = y;
    out[1] = y * (1 - y);
}

inline void hand_layer(const double* kernel, double* out) {
    static const double inputs[3][3] = {{-1, 0, 1}, {2, 3, 4}, {-1, -5, 2}};
    double loss = 0, g[6] = {0, 0, 0, 0, 0, 0};
    for (int i = 0; i < 3; ++i)
        for (int j = 0; j < 2; ++j) {
            const double z = kernel[j] * inputs[i][0] + kernel[2 + j] * inputs[i][1] + kernel[4 + j] * inputs[i][2];
            const double s = std::sin(z), slope = 2 * s * std::cos(z);
            loss += s * s;
            for (int k = 0; k < 3; ++k) g[2 * k + j] += inputs[i][k] * slope;
        }
    out[0] = loss;
    for (int k = 0; k < 6; ++k) out[1 + k] = g[k];
}

// in: camera 11, point 3, weight, feature 2; out: by camera 2 x 11, by point 2 x 3, by weight 2
inline void hand_residual(const double* in, double* out) {
    const double *r = in, *point = in + 11, *feature = in + 15, weight = in[14], focal = in[6], k1 = in[9], k2 = in[10];
    double *by_camera = out, *by_point = out + 22, *by_weight = out + 28;
    const double x[3] = {point[0] - in[3], point[1] - in[4], point[2] - in[5]};
    const double angle = std::sqrt(r[0] * r[0] + r[1] * r[1] + r[2] * r[2]), inverse = 1 / angle;
    const double c = std::cos(angle), s = std::sin(angle), rest = 1 - c;
    const double w[3] = {r[0] * inverse, r[1] * inverse, r[2] * inverse};
    const double across[3] = {w[1] * x[2] - w[2] * x[1], w[2] * x[0] - w[0] * x[2], w[0] * x[1] - w[1] * x[0]};
    const double along = w[0] * x[0] + w[1] * x[1] + w[2] * x[2];
    const double spin[3][3] = {{0, -w[2], w[1]}, {w[2], 0, -w[0]}, {-w[1], w[0], 0}};
    const double back[3][3] = {{0, x[2], -x[1]}, {-x[2], 0, x[0]}, {x[1], -x[0], 0}};
    double y[3], dr[3][3], dx[3][3];
    for (int i = 0; i < 3; ++i) {
        y[i] = x[i] * c + across[i] * s + w[i] * along * rest;
        double dw[3];
        for (int j = 0; j < 3; ++j) {
            dx[i][j] = (i == j) * c + s * spin[i][j] + rest * w[i] * w[j];
            dw[j] = s * back[i][j] + rest * ((i == j) * along + w[i] * x[j]);
        }
        const double turn = -x[i] * s + across[i] * c + w[i] * along * s;
        const double radial = dw[0] * w[0] + dw[1] * w[1] + dw[2] * w[2];
        for (int j = 0; j < 3; ++j) dr[i][j] = turn * w[j] + (dw[j] - radial * w[j]) * inverse;
    }
    const double depth = 1 / y[2], u = y[0] * depth, v = y[1] * depth, r2 = u * u + v * v;
    const double bend = 1 + r2 * (k1 + k2 * r2), slope = 2 * k1 + 4 * k2 * r2;
    const double uu = bend + slope * u * u, uv = slope * u * v, vv = bend + slope * v * v;
    const double down[2][3] = {{uu * depth, uv * depth, -(uu * u + uv * v) * depth},
                               {uv * depth, vv * depth, -(uv * u + vv * v) * depth}};
    const double flat[2] = {u, v}, scale = weight * focal;
    for (int i = 0; i < 2; ++i) {
        double* row = by_camera + 11 * i;
        for (int j = 0; j < 3; ++j) {
            row[j] = scale * (down[i][0] * dr[0][j] + down[i][1] * dr[1][j] + down[i][2] * dr[2][j]);
            const double shift = scale * (down[i][0] * dx[0][j] + down[i][1] * dx[1][j] + down[i][2] * dx[2][j]);
            row[3 + j] = -shift;
            by_point[3 * i + j] = shift;
        }
        row[6] = weight * flat[i] * bend;
        row[7] = i == 0 ? weight : 0;
        row[8] = i == 0 ? 0 : weight;
        row[9] = scale * flat[i] * r2;
        row[10] = row[9] * r2;
        by_weight[i] = flat[i] * bend * focal + in[7 + i] - feature[i];
    }
}

// The geometric Jacobian: axis of each joint times the way from it to the hand.
inline void hand_arm(const double* q, double* out) {
    double R[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, p[3] = {0, 0, 0}, axis[7][3], at[7][3];
    for (int n = 0; n < 7; ++n) {
        const Link& k = links()[n];
        const double c = std::cos(q[n]), s = std::sin(q[n]);
        for (int i = 0; i < 3; ++i) {
            const double x = R[i][0], y = R[i][1], z = R[i][2], across = y * k.ct + z * k.st;
            p[i] += x * k.length - y * (k.st * k.offset) + z * (k.ct * k.offset);
            R[i][0] = x * c + across * s;
            R[i][1] = across * c - x * s;
            R[i][2] = z * k.ct - y * k.st;
            axis[n][i] = R[i][2];
            at[n][i] = p[i];
        }
    }
    for (int n = 0; n < 7; ++n) {
        const double a[3] = {p[0] - at[n][0], p[1] - at[n][1], p[2] - at[n][2]}, *z = axis[n];
        out[n] = z[1] * a[2] - z[2] * a[1];
        out[7 + n] = z[2] * a[0] - z[0] * a[2];
        out[14 + n] = z[0] * a[1] - z[1] * a[0];
    }
}
