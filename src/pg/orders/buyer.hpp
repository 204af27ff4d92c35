// Who buys: an anonymous guest, a guest with a profile, or a member with balances.
#pragma once

#include "core/document/document.hpp"
#include "core/order/order.hpp"

#include <optional>
#include <string>

#include "pg/promotions/cache.hpp"

namespace loyalty::pg {

// Looks the buyer up at `now`: a key that is not in the profile database is an error (LY203); the profile must be
// visible to `caller` unless profiles are the bundled ones. Runs as the schema's owner otherwise.
Buyer find_buyer(const CurrentProgram& current, const std::optional<std::string>& member, TimestampTz now, Oid caller);

// The member that a test makes up. Errors: LY104, LY105 (a balance), LY208 (its point type), LY323 (tier, segment or
// promo code).
Buyer make_up_buyer(const CurrentProgram& current, const TestContext::Member& member, TimestampTz now);

}  // namespace loyalty::pg
