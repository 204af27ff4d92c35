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

namespace {

constexpr std::string_view status_names[] = {"used",       "not_used",      "unknown_code", "not_yours",
                                             "no_profile", "not_yet_valid", "expired",      "used_up"};

}  // namespace

std::string_view to_string(PromoCodeStatus status) { return status_names[static_cast<int>(status)]; }

std::optional<PromoCodeStatus> read_promo_code_status(std::string_view name) {
    const auto found = std::find(std::begin(status_names), std::end(status_names), name);
    if (found == std::end(status_names)) return std::nullopt;
    return static_cast<PromoCodeStatus>(found - std::begin(status_names));
}

void open_pools(Order& order) {
    for (const auto& code : order.promo_codes) {
        if (code.usable() && code.pool != none) order.pools.push_back(code.pool);
    }
    std::sort(order.pools.begin(), order.pools.end());
    order.pools.erase(std::unique(order.pools.begin(), order.pools.end()), order.pools.end());
}

}  // namespace loyalty
