#include "core/benefits/benefits.hpp"

#include "core/allot.hpp"
#include "core/error.hpp"
#include "core/program.hpp"

namespace loyalty {

void allot_over(std::vector<Part>& parts, Money shipping, Money reduction, Money& shipping_asked) {
    std::vector<std::int64_t> weights;
    weights.reserve(parts.size() + 1);
    int128 sum = shipping.units;
    for (const auto& part : parts) {
        weights.push_back(part.total.units);
        sum += part.total.units;
    }
    weights.push_back(shipping.units);
    if (sum == 0) return;
    const auto shares = allot(reduction.units, weights);
    for (std::size_t i = 0; i < parts.size(); i++) parts[i].asked = Money{shares[i]};
    shipping_asked = Money{shares.back()};
}

PointTypeParameter::PointTypeParameter(Parameters& parameters, const BenefitSetting& setting) {
    parameters.require("point_type");
    const std::string id = *parameters.text("point_type");
    if (!setting.point_types) return;
    const auto& types = *setting.point_types;
    for (std::uint32_t i = 0; i < types.size(); i++) {
        if (types[i].id != id) continue;
        index_ = i;
        type_ = &types[i];
        return;
    }
    parameters.fail("point_type", id, "a point type of the program");
}

}  // namespace loyalty
