// One entry per function and tool: void(const double* in, double* out), each in an object of its own.
#pragma once
#if defined(TOOL_WENGERT)
#include HEADER
#elif defined(TOOL_EIGEN)
#include <Eigen/Core>
#include <unsupported/Eigen/AutoDiff>
#include "templates.hpp"
template <int N> using Number = Eigen::AutoDiffScalar<Eigen::Matrix<double, N, 1>>;
template <int N> double value(const Number<N>& y) { return y.value(); }
template <int N> double slope(const Number<N>& y, int k) { return y.derivatives()[k]; }
template <int N> Number<N> variable(double x, int k) { return Number<N>(x, N, k); }
#elif defined(TOOL_EIGEN_XD)  // as Eigen's own examples have it, and the article
#include <Eigen/Core>
#include <unsupported/Eigen/AutoDiff>
#include "templates.hpp"
template <int N> using Number = Eigen::AutoDiffScalar<Eigen::VectorXd>;
template <int N> double value(const Number<N>& y) { return y.value(); }
template <int N> double slope(const Number<N>& y, int k) { return y.derivatives()[k]; }
template <int N> Number<N> variable(double x, int k) { return Number<N>(x, N, k); }
#elif defined(TOOL_DUAL)
#include <wengert/dual.hpp>
#include "templates.hpp"
template <int N> using Number = wengert::dual<double, N>;
template <int N> double value(const Number<N>& y) { return y.value; }
template <int N> double slope(const Number<N>& y, int k) { return y.slopes[k]; }
template <int N> Number<N> variable(double x, int k) { return Number<N>(x, k); }
#elif defined(TOOL_HAND)
#include "by_hand.hpp"
#endif

extern "C" void ENTRY(const double* in, double* out) {
#if defined(TOOL_WENGERT)
#if defined(CASE_sigmoid)
    sigmoid::value_and_gradient(in[0], out, out + 1);
#elif defined(CASE_layer)
    layer::value_and_gradient(in, out, out + 1);
#elif defined(CASE_residual)
    residual::jacobian(in, in + 11, in[14], in + 15, out, out + 22, out + 28);
#else
    arm::jacobian(in, out);
#endif
#elif defined(TOOL_HAND)
#if defined(CASE_sigmoid)
    hand_sigmoid(in, out);
#elif defined(CASE_layer)
    hand_layer(in, out);
#elif defined(CASE_residual)
    hand_residual(in, out);
#else
    hand_arm(in, out);
#endif
#else
#if defined(CASE_sigmoid)
    const Number<1> y = sigmoid_of(variable<1>(in[0], 0));
    out[0] = value<1>(y);
    out[1] = slope<1>(y, 0);
#elif defined(CASE_layer)
    Number<6> x[6];
    for (int k = 0; k < 6; ++k) x[k] = variable<6>(in[k], k);
    const Number<6> y = layer_of(x);
    out[0] = value<6>(y);
    for (int k = 0; k < 6; ++k) out[1 + k] = slope<6>(y, k);
#elif defined(CASE_residual)
    Number<15> x[15], y[2];
    for (int k = 0; k < 15; ++k) x[k] = variable<15>(in[k], k);
    residual_of(x, x + 11, x[14], in + 15, y);
    for (int i = 0; i < 2; ++i) {
        for (int k = 0; k < 11; ++k) out[11 * i + k] = slope<15>(y[i], k);
        for (int k = 0; k < 3; ++k) out[22 + 3 * i + k] = slope<15>(y[i], 11 + k);
        out[28 + i] = slope<15>(y[i], 14);
    }
#else
    Number<7> x[7], y[3];
    for (int k = 0; k < 7; ++k) x[k] = variable<7>(in[k], k);
    arm_of(x, y);
    for (int i = 0; i < 3; ++i)
        for (int k = 0; k < 7; ++k) out[7 * i + k] = slope<7>(y[i], k);
#endif
#endif
}
