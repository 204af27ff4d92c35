// A calculation told as an indented tree, in the manner of EXPLAIN.
#pragma once

#include "core/calculate/calculate.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace loyalty {

// One string per line. Every promotion of the tree appears, with what it did or the reason why it did nothing; without
// `everything`, those that are drafts or inactive are only counted. Calls `check_interrupts`, which may throw, from
// time to time.
std::vector<std::string> explain(const Program& program, const Order& order, const Calculation& calculation,
                                 bool everything = true, std::function<void()> check_interrupts = {});

// A reason as a phrase: "the promotion is for members only".
std::string_view describe(Reason reason);

}  // namespace loyalty
