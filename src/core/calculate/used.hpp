// What a calculation uses up of the limits of its promotions.
#pragma once

#include "core/calculate/calculate.hpp"

namespace loyalty {

// One use, if the promotion had an effect; the money that it took off, which what raised a price does not lessen; and
// the points that it accrued, waiting ones too.
UsageCounters used_of(const Program& program, const Calculation& calculation, Index promotion);

}  // namespace loyalty
