#include "core/calculate/benefit.hpp"

namespace loyalty {

const std::vector<std::uint32_t>& Benefit::segments() const {
    static const std::vector<std::uint32_t> all;
    return all;
}

}  // namespace loyalty
