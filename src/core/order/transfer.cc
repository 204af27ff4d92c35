#include "core/order/transfer.hpp"

#include "core/error.hpp"
#include "core/order/resolve.hpp"

#include <algorithm>

namespace loyalty {

namespace {

constexpr std::size_t nowhere = ~std::size_t{0};

// Whether both mean the same.
bool alike(const Segment& a, const Segment& b) { return a.id == b.id && a.predicate == b.predicate; }
bool alike(const std::string& a, const std::string& b) { return a == b; }
bool alike(const Reads::Path& a, const Reads::Path& b) { return a == b; }
bool alike(const PointType& a, const PointType& b) { return a.id == b.id; }

// Where each item of one list stands in the other; those that only the other has are missing.
template <class List, class Missing>
std::vector<std::size_t> places(const List& from, const List& to, std::vector<Missing>* missing) {
    std::vector<std::size_t> found(from.size(), nowhere);
    for (std::size_t i = 0; i < to.size(); i++) {
        const auto same = std::find_if(from.begin(), from.end(), [&](const auto& item) { return alike(item, to[i]); });
        if (same != from.end()) {
            found[static_cast<std::size_t>(same - from.begin())] = i;
        } else if (missing) {
            missing->push_back(static_cast<Missing>(i));
        }
    }
    return found;
}

[[noreturn]] void fail_units() {
    throw Error(sqlstate::cannot_be_repriced, "an order of a version that counts in other units cannot be transferred",
                {}, "Price it with a version of the same scales.");
}

}  // namespace

Transfer::Transfer(const Program& from, const Program& to) : from_(&from), to_(&to) {
    if (from.currency_scale != to.currency_scale) fail_units();
    product_segments_ = places(from.segments, to.segments, &unknown_.product_segments);
    order_segments_ = places(from.order_segments, to.order_segments, &unknown_.order_segments);
    profile_segments_ = places(from.profile_segments, to.profile_segments, &unknown_.profile_segments);
    tiers_ = places(from.tiers, to.tiers, &unknown_.tiers);
    point_types_ = places<std::vector<PointType>, Index>(from.point_types, to.point_types, nullptr);
    product_values_ = places(from.reads.product, to.reads.product, &unknown_.product_values);
    order_values_ = places(from.reads.order, to.reads.order, &unknown_.order_values);
    profile_values_ = places(from.reads.profile, to.reads.profile, &unknown_.profile_values);
    gifts_ = places(from.reads.gifts, to.reads.gifts, &unknown_.gifts);
    for (std::size_t type = 0; type < from.point_types.size(); type++) {
        const std::size_t place = point_types_[type];
        if (place != nowhere && from.point_types[type].scale != to.point_types[place].scale) fail_units();
    }
}

std::vector<std::uint32_t> Transfer::moved(const std::vector<std::uint32_t>& items, const Places& places) const {
    std::vector<std::uint32_t> result;
    for (const auto item : items) {
        if (places[item] != nowhere) result.push_back(static_cast<std::uint32_t>(places[item]));
    }
    std::sort(result.begin(), result.end());
    return result;
}

std::vector<Value> Transfer::moved(const std::vector<Value>& values, const Places& places, std::size_t size) const {
    std::vector<Value> result(size);
    for (std::size_t i = 0; i < values.size() && i < places.size(); i++) {
        if (places[i] != nowhere) result[places[i]] = values[i];
    }
    return result;
}

// Exactly, or not at all: coarser prices must not change what a line costs.
UnitPrice Transfer::moved(const UnitPrice& price) const {
    const auto units = Decimal::of(price.units, from_->price_scale).units(to_->price_scale);
    if (!units) fail_units();
    return to_->price(*units);
}

void Transfer::move_buyer(Buyer& buyer) const {
    buyer.segments = moved(buyer.segments, profile_segments_);
    buyer.tiers = moved(buyer.tiers, tiers_);
    if (!buyer.key.empty()) buyer.values = moved(buyer.values, profile_values_, to_->reads.profile.size());
    if (buyer.balances.empty()) return;
    std::vector<Balance> balances(to_->point_types.size());
    for (std::size_t type = 0; type < std::min(buyer.balances.size(), point_types_.size()); type++) {
        if (point_types_[type] != nowhere) balances[point_types_[type]] = buyer.balances[type];
    }
    buyer.balances = std::move(balances);
}

void Transfer::move_allowances(Order& order) const {
    std::vector<Allowance> allowances;
    for (auto& allowance : order.allowances) {
        const std::string& id = from_->promotions[allowance.promotion].id;
        for (const Index promotion : to_->limited_promotions) {
            if (to_->promotions[promotion].id != id) continue;
            allowance.promotion = promotion;
            allowances.push_back(allowance);
        }
    }
    order.allowances = std::move(allowances);
}

Order Transfer::operator()(const Order& order) const {
    Order result = order;
    move_buyer(result.buyer);
    move_allowances(result);
    result.segments = moved(result.segments, order_segments_);
    result.gifts.assign(to_->reads.gifts.size(), GiftProduct{});
    for (std::size_t i = 0; i < std::min(order.gifts.size(), gifts_.size()); i++) {
        if (gifts_[i] == nowhere) continue;
        GiftProduct& gift = result.gifts[gifts_[i]] = order.gifts[i];
        gift.price = moved(gift.price);
    }
    result.values = moved(result.values, order_values_, to_->reads.order.size());
    std::vector<Redeem> redeem;
    for (const auto& request : order.redeem) {
        const std::size_t type = point_types_[request.point_type];
        if (type != nowhere) redeem.push_back({static_cast<std::uint32_t>(type), request.amount});
    }
    result.redeem = std::move(redeem);
    for (auto& line : result.lines) {
        line.segments = moved(line.segments, product_segments_);
        line.values = moved(line.values, product_values_, to_->reads.product.size());
        line.price = moved(line.price);
        if (line.min_price) line.min_price = moved(*line.min_price);
        line.partner_product = none;
    }
    find_partner_products(result, *to_, result.time.day());
    for (auto& code : result.promo_codes) {
        code.pool = none;
        if (!code.facts) continue;
        const auto pool = std::find(to_->pools.begin(), to_->pools.end(), code.facts->pool);
        if (pool != to_->pools.end()) code.pool = static_cast<Index>(pool - to_->pools.begin());
    }
    result.pools.clear();
    open_pools(result);
    return result;
}

}  // namespace loyalty
