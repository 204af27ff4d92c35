// Promo codes of personal pools, as orders issue them.
#pragma once

#include <optional>
#include <string>

#include "pg/promo_codes/pools.hpp"

namespace loyalty::pg {

// Attaches a free code of the pool to the profile for an order, a new one for each; the event is left to the caller,
// who knows what to tell. Nothing if the pool is not personal, is outside its validity, or has no free code.
std::optional<std::string> issue_promo_code(const PromoCodePool& pool, const std::string& profile,
                                            const std::string& order_id);

// Likewise for no order, and tells of it.
std::optional<std::string> give_promo_code(const PromoCodePool& pool, const std::string& profile);

}  // namespace loyalty::pg
