#include "core/calculate/returns.hpp"

namespace loyalty {

std::int64_t given_back(std::int64_t figure, Quantity returned, Quantity quantity) {
    return scaled(figure, {returned.units, quantity.units});
}

std::int64_t part_of(std::int64_t figure, const ReturnedUnits& units) {
    return given_back(figure, units.after, units.quantity) - given_back(figure, units.before, units.quantity);
}

}  // namespace loyalty
