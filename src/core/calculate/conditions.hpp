// What must hold for a promotion to take part in an order at all, and for the conditions on the order to be fulfilled. Judged
// once, on the order as it was submitted. That lines belong to product segments is the business of candidates.hpp, which
// looks for them the other way round.
#pragma once

#include "core/document/order.hpp"
#include "core/program/program.hpp"

namespace loyalty {

// The first reason why the promotion takes no part, in this sequence: state, audience, dates, schedule, promo code, channel
// and contact point, region, uses. Reason::none if there is none.
Reason find_obstacle(const Program& program, Index promotion, const Order& order);

// Whether the order fulfils an order condition.
bool holds(const Condition& condition, const Order& order);

// Why a promotion without an obstacle met no line and no order condition.
Reason unmet_reason(const Program& program, const Promotion& promotion);

}  // namespace loyalty
