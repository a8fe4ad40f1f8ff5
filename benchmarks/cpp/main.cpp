// Runs all entries side by side, many times, and prints the least time of each and its results.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

using Entry = void (*)(const double*, double*);
struct Run { const char* name; Entry entry; };
#define DECLARE
#include "list.inc"
#undef DECLARE

int main(int argc, char** argv) {
    const int repeats = argc > 1 ? std::atoi(argv[1]) : 200;
    const int inner = 2000;
    double best[sizeof runs / sizeof *runs];
    std::fill(best, best + count, 1e9);
    std::vector<double> in(input_size), out(64);
    for (int r = 0; r < repeats; ++r)
        for (int k = 0; k < count; ++k) {
            std::copy(input, input + input_size, in.begin());
            const auto start = std::chrono::steady_clock::now();
            for (int i = 0; i < inner; ++i) {
                in[0] += 1e-9;  // another point each time
                runs[k].entry(in.data(), out.data());
            }
            const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
            best[k] = std::min(best[k], took.count() / inner);
        }
    for (int k = 0; k < count; ++k) {
        std::copy(input, input + input_size, in.begin());
        runs[k].entry(in.data(), out.data());
        std::printf("%s %.3f", runs[k].name, best[k]);
        for (int i = 0; i < output_size; ++i) std::printf(" %.17g", out[static_cast<std::size_t>(i)]);
        std::printf("\n");
    }
}
