#include "core/order/promo_code.hpp"

#include "core/order/order.hpp"
#include "core/program/program.hpp"

#include <algorithm>

namespace loyalty {

PromoCodeStatus judge_promo_code(const PromoCodeFacts& code, const Buyer& buyer, std::int64_t at_unix_us) {
    const bool has_profile = buyer.kind != BuyerKind::anonymous;
    if (code.personal && (!has_profile || code.profile != buyer.key)) return PromoCodeStatus::not_yours;
    if (code.max_uses_per_member && !has_profile) return PromoCodeStatus::no_profile;
    // A personal code that was attached in time outlives the validity of its pool.
    if (!code.personal && at_unix_us < code.valid_from) return PromoCodeStatus::not_yet_valid;
    if (at_unix_us >= code.expires_at || (!code.personal && at_unix_us >= code.valid_until))
        return PromoCodeStatus::expired;
    if (code.max_uses && code.uses >= *code.max_uses) return PromoCodeStatus::used_up;
    if (code.max_uses_per_member && code.uses_of_buyer >= *code.max_uses_per_member) return PromoCodeStatus::used_up;
    return PromoCodeStatus::not_used;
}

void open_pools(Order& order) {
    for (const auto& code : order.promo_codes) {
        if (code.usable() && code.pool != none) order.pools.push_back(code.pool);
    }
    std::sort(order.pools.begin(), order.pools.end());
    order.pools.erase(std::unique(order.pools.begin(), order.pools.end()), order.pools.end());
}

}  // namespace loyalty
