// The readers of all benefits, for the table in benefit_types.cc, and what several of them share.
#pragma once

#include "core/benefit.hpp"

namespace loyalty {

std::unique_ptr<const Benefit> read_discount(Parameters& parameters, const BenefitSetting& setting);
std::unique_ptr<const Benefit> read_points_discount(Parameters& parameters, const BenefitSetting& setting);
std::unique_ptr<const Benefit> read_accrue_points(Parameters& parameters, const BenefitSetting& setting);

// Allots an order-level reduction over `parts` (their `asked`), and last over a shipping price, in proportion to the
// current totals.
void allot_over(std::vector<Part>& parts, Money shipping, Money reduction, Money& shipping_asked);

// A point type that a benefit names: its index in the program.
class PointTypeParameter {
public:
    PointTypeParameter(Parameters& parameters, const BenefitSetting& setting);
    std::uint32_t index() const { return index_; }
    const PointType* type() const { return type_; }

private:
    std::uint32_t index_ = no_point_type;
    const PointType* type_ = nullptr;  // null when only the form is checked
};

}  // namespace loyalty
