// CUDA's functions that <cmath> lacks, against numbers computed to 60 digits, or their inverses.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "kernels/simt/simt.h"

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

// Within so many units in the last place.
template <class T>
bool near(T x, T expected, int units = 4) {
    return std::fabs(x - expected) <=
           static_cast<T>(units) * std::fabs(expected) * std::numeric_limits<T>::epsilon();
}

}  // namespace

TEST_CASE("sines of half turns are exact where they are 0 or 1") {
    CHECK(sinpif(0.5f) == 1.0f);
    CHECK(sinpif(3.0f) == 0.0f);
    CHECK(sinpif(1e30f) == 0.0f);
    CHECK(std::signbit(sinpi(-2.0)));
    CHECK(sinpi(-1.5) == 1.0);
    CHECK(near(sinpi(1.0 / 6), 0.5));
    CHECK(near(sinpi(1 - 0x1p-40), 0x1.921fb54442d18p-39));
    CHECK(cospif(0.5f) == 0.0f);
    CHECK(cospi(1.0) == -1.0);
    CHECK(near(cospi(0.25), std::sqrt(0.5)));
    CHECK(near(cospi(2.0 / 3), -0.5));
    CHECK(std::isnan(sinpi(infinite)));
    float sine = 0, cosine = 0;
    sincospif(0.25f, &sine, &cosine);
    CHECK(sine == std::sqrt(0.5f));
    CHECK(sine == cosine);
}

TEST_CASE("erf, erfc and the normal distribution are inverted, near their ends too") {
    CHECK(near(erfinv(0.5), 0.47693627620446987338));
    CHECK(near(erfinvf(0.5f), 0.47693628f, 1));
    CHECK(near(erfinv(-1e-30), -8.8622692545275801365e-31));
    CHECK(erfinv(-1.0) == -infinite);
    CHECK(std::isnan(erfinv(1.5)));
    CHECK(near(erfcinv(1e-300), 26.209469960516123886));
    CHECK(near(erfcinvf(1.5f), -0.47693628f, 1));
    CHECK(erfcinv(0.0) == infinite);
    CHECK(erfcinv(2.0) == -infinite);
    CHECK(std::isnan(erfcinv(-0.1)));
    CHECK(std::fabs(erfcinv(5e-324) - 27.2133) < 0.01);
    for (double x = -2.5; x < 2.6; x += 0.37) CHECK(near(erfinv(std::erf(x)), x, 1 << 12));
    CHECK(near(normcdf(1.0), 0.84134474606854294859));
    CHECK(near(normcdf(-37.0), 5.7255712225245768e-300));
    CHECK(normcdff(-INFINITY) == 0.0f);
    CHECK(near(normcdfinv(0.975), 1.9599639845400538556));
    CHECK(near(normcdfinvf(0.025f), -1.9599640f, 1));
    CHECK(normcdfinv(1.0) == infinite);
    CHECK(near(erfcx(0.5), 0.61569034419292587487));
    CHECK(near(erfcx(20.0), 0.028174348741051319));
    CHECK(near(erfcxf(1e20f), 5.6418957e-21f, 1));
    CHECK(erfcx(-27.0) == infinite);
    CHECK(erfcx(infinite) == 0.0);
}

TEST_CASE("lengths neither overflow on the way nor take an infinite one for NaN") {
    CHECK(norm3df(2, 3, 6) == 7.0f);
    CHECK(norm4df(1e30f, 1e30f, 1e30f, 1e30f) == 2e30f);
    CHECK(near(norm3d(2e300, 3e300, 6e300), 7e300));
    CHECK(norm4d(1, infinite, NAN, 1) == infinite);
    CHECK(rnorm3df(2, 3, 6) == 1.0f / 7);
    CHECK(rnorm4d(1, 1, 1, 1) == 0.5);
    CHECK(rhypotf(3, 4) == 0.2f);
    CHECK(rhypot(0, 0) == infinite);
    const float x[] = {2, 3, 6};
    CHECK(normf(3, x) == 7.0f);
    CHECK(rnormf(3, x) == 1.0f / 7);
    CHECK(rcbrt(-8.0) == -0.5);
    CHECK(rcbrtf(27.0f) == 1.0f / 3);
    CHECK(rsqrt(0.25) == 2.0);
}
