// Promo codes of an order: which of them the buyer may use, and which of those were used.
#pragma once

#include "core/names.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace loyalty {

struct Buyer;
struct Order;

// What the database holds of a code. Moments are microseconds since 1970-01-01 00:00 UTC.
struct PromoCodeFacts {
    static constexpr std::int64_t never = INT64_MAX;

    std::string code;  // as it is stored
    std::string pool;
    bool personal = false;
    std::optional<std::string> profile;                        // whom it is attached to
    std::int64_t expires_at = never;                           // its own date, and …
    std::int64_t valid_from = INT64_MIN, valid_until = never;  // … its pool's
    std::int64_t uses = 0, uses_of_buyer = 0;
    std::optional<std::int64_t> max_uses, max_uses_per_member;
};

enum class PromoCodeStatus {
    used,      // a promotion gated by its pool had an effect
    not_used,  // it could have been used, but no promotion needed it, or another code of its pool came before
    unknown_code,
    not_yours,      // a personal code that is not attached to this buyer's profile
    no_profile,     // its uses are counted per member, and the buyer has no profile
    not_yet_valid,  // its pool's validity has not begun
    expired,
    used_up,
};
inline constexpr Names<PromoCodeStatus, 8> promo_code_status_names({
    {PromoCodeStatus::used, "used"},
    {PromoCodeStatus::not_used, "not_used"},
    {PromoCodeStatus::unknown_code, "unknown_code"},
    {PromoCodeStatus::not_yours, "not_yours"},
    {PromoCodeStatus::no_profile, "no_profile"},
    {PromoCodeStatus::not_yet_valid, "not_yet_valid"},
    {PromoCodeStatus::expired, "expired"},
    {PromoCodeStatus::used_up, "used_up"},
});

// A code as the order gave it, and what became of it.
struct PromoCode {
    std::string given;
    std::optional<PromoCodeFacts> facts;  // nothing: unknown
    PromoCodeStatus status = PromoCodeStatus::unknown_code;
    std::uint32_t pool = ~std::uint32_t{0};  // in Program::pools; none where no promotion is gated by it

    bool usable() const { return status == PromoCodeStatus::used || status == PromoCodeStatus::not_used; }
};

// Whether `buyer` may use a code at the moment of an order: not_used if so, otherwise the first reason why not.
PromoCodeStatus judge_promo_code(const PromoCodeFacts& code, const Buyer& buyer, std::int64_t at_unix_us);

// Fills in the pools that the order's promo codes open.
void open_pools(Order& order);

}  // namespace loyalty
