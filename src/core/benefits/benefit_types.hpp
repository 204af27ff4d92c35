// The table of all benefits.
#pragma once

#include "core/calculate/benefit.hpp"

#include <span>
#include <string_view>

namespace loyalty {

std::span<const BenefitType> benefit_types();

// The benefit called `name`, fit for promotions of this kind and conditions of this level; otherwise LY301.
const BenefitType& benefit_type(std::string_view name, PromotionKind kind, Level level);

// Whether what a benefit does to a line depends on other lines, so that it cannot be weighed for each line apart.
bool looks_at_several_lines(std::string_view name, Level level, Parameters parameters);

}  // namespace loyalty
