// The four functions as templates, for Eigen::AutoDiffScalar and wengert::dual.
#pragma once
#include <array>
#include <cmath>

template <class T>
T sigmoid_of(const T& x) { return T(1) / (T(1) + exp(-x)); }

template <class T>
T layer_of(const T* kernel) {
    static const double inputs[3][3] = {{-1, 0, 1}, {2, 3, 4}, {-1, -5, 2}};
    T loss(0);
    for (int i = 0; i < 3; ++i)
        for (int j = 0; j < 2; ++j) {
            T z = kernel[j] * inputs[i][0] + kernel[2 + j] * inputs[i][1] + kernel[4 + j] * inputs[i][2];
            T s = sin(z);
            loss += s * s;
        }
    return loss;
}

template <class T>
void residual_of(const T* camera, const T* point, const T& weight, const double* feature, T* out) {
    T x[3], axis[3], y[3];
    for (int i = 0; i < 3; ++i) x[i] = point[i] - camera[3 + i];
    T angle = sqrt(T(camera[0] * camera[0] + camera[1] * camera[1] + camera[2] * camera[2]));
    for (int i = 0; i < 3; ++i) axis[i] = camera[i] / angle;
    T c = cos(angle), s = sin(angle);
    T along = (axis[0] * x[0] + axis[1] * x[1] + axis[2] * x[2]) * (T(1) - c);
    for (int i = 0; i < 3; ++i) {
        const int j = (i + 1) % 3, k = (i + 2) % 3;
        y[i] = x[i] * c + (axis[j] * x[k] - axis[k] * x[j]) * s + axis[i] * along;
    }
    T u = y[0] / y[2], v = y[1] / y[2];
    T square = u * u + v * v;
    T bend = T(1) + camera[9] * square + camera[10] * square * square;
    out[0] = weight * (u * bend * camera[6] + camera[7] - feature[0]);
    out[1] = weight * (v * bend * camera[6] + camera[8] - feature[1]);
}

struct Link { double ct, st, offset, length; };
inline const Link* links() {
    static const double half = std::acos(-1.0) / 2;
    static const auto link = [](double twist, double d, double a) { return Link{std::cos(twist), std::sin(twist), d, a}; };
    static const Link all[7] = {link(0, 0.333, 0), link(-half, 0, 0), link(half, 0.316, 0), link(half, 0, 0.0825),
                                link(-half, 0.384, -0.0825), link(half, 0, 0), link(half, 0.107, 0.088)};
    return all;
}

template <class T>
void arm_of(const T* q, T* out) {
    T R[3][3], p[3];
    for (int i = 0; i < 3; ++i) { p[i] = T(0); for (int j = 0; j < 3; ++j) R[i][j] = T(i == j ? 1 : 0); }
    for (int n = 0; n < 7; ++n) {
        const Link& k = links()[n];
        T c = cos(q[n]), s = sin(q[n]);
        for (int i = 0; i < 3; ++i) {
            T x = R[i][0], y = R[i][1], z = R[i][2];
            p[i] += x * k.length + y * (-k.st * k.offset) + z * (k.ct * k.offset);
            T across = y * k.ct + z * k.st;
            R[i][0] = x * c + across * s;
            R[i][1] = across * c - x * s;
            R[i][2] = z * k.ct - y * k.st;
        }
    }
    for (int i = 0; i < 3; ++i) out[i] = p[i];
}
