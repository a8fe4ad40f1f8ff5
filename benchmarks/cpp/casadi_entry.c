/* The same entry around CasADi's generated C: its inputs and outputs, column by column, and work. */
#include CODE
#define GLUE_(A, B) A##B
#define GLUE(A, B) GLUE_(A, B)
void ENTRY(const double* in, double* out) {
    static double w[256];
    static casadi_int iw[8];
#if defined(CASE_sigmoid) || defined(CASE_layer)
    const double* arg[8] = {in};
    double* res[8] = {out, out + 1};
#elif defined(CASE_residual)
    const double* arg[8] = {in, in + 11, in + 14, in + 15};
    double* res[8] = {out};
#else
    const double* arg[8] = {in};
    double* res[8] = {out};
#endif
    NAME(arg, res, iw, w, 0);
}
