// The number of the rules by which orders are calculated. It rises where the same version of a promotion tree gives an
// order another result than before; versions carry the number they were applied under.
//
//     1  version 0.1.0
//     2  incompatibility goes by units; floors move amounts; caps are shared by allotment, in parallel promotions as in
//        sums; a number of points is worth no more than its money rounded down; searches at their limit give no less
//        than what is simple
#pragma once

#include <cstdint>

namespace loyalty {

inline constexpr std::int32_t calculation_rules = 2;

}  // namespace loyalty
