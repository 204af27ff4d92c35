// What fuzzers share: a shop without a database, and what must hold of any calculation in it.
#pragma once

#include "codec/json.hpp"
#include "codec/resolved_order.hpp"
#include "codec/result_writer.hpp"
#include "codec/tree_reader.hpp"
#include "core/calculate/benefit.hpp"
#include "core/calculate/calculate.hpp"
#include "core/compile/compile.hpp"
#include "core/document/document.hpp"
#include "core/error.hpp"
#include "core/explain/explain.hpp"
#include "core/order/promo_code.hpp"
#include "core/order/resolve.hpp"
#include "core/program/tree.hpp"
#include "core/program/usage.hpp"
#include "unit/json_text_writer.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace loyalty::fuzz {

// Anything but a loyalty::Error ends the fuzzer; so does this.
inline void demand(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
}

inline Market market(const Program& program) {
    Market market;
    market.program = program.id;
    market.active = true;
    market.currency = program.currency;
    market.currency_scale = program.currency_scale;
    market.price_scale = program.price_scale;
    market.time_zone = program.time_zone;
    market.profile_database = "profiles";
    market.channels = {"web", "store"};
    market.contact_points = {{"cart", "web"}};
    market.regions = {"77"};
    market.statuses = {{"new", {0, StatusKind::open}},
                       {"delivered", {5, StatusKind::delivered}},
                       {"canceled", {7, StatusKind::cancelled}}};
    for (const auto& type : program.point_types) market.point_types.insert(type.id);
    return market;
}

// Does what may fail with an error of the domain, which has to say what it is.
template <class Action>
void allow_errors(const Action& action) {
    try {
        action();
    } catch (const Error& error) {
        demand(error.sqlstate().starts_with("LY") && error.sqlstate().size() == 5, "an error has a code of the domain");
        demand(!error.message().empty(), "an error says what it is");
    }
}

// The tree that has everything: all types of arbitration, benefits, conditions and limits.
inline Program everything() {
    std::ifstream file("test/fuzz/corpus/tree_fuzz/everything.json");
    demand(file.good(), "fuzzers run in the root of the tree");
    return compile(codec::read_tree(std::string(std::istreambuf_iterator<char>(file), {})), 1);
}

// What stands in for the database: which of its things somebody or something has is decided by a sum over his name.
inline std::size_t sum_of(std::string_view name) {
    std::size_t sum = 0;
    for (const char c : name) sum += static_cast<unsigned char>(c);
    return sum;
}

// Of `size` things, every third.
inline std::vector<std::uint32_t> some_of(std::size_t size, std::size_t sum) {
    std::vector<std::uint32_t> some;
    for (std::size_t i = sum % 3; i < size; i += 3) some.push_back(static_cast<std::uint32_t>(i));
    return some;
}

inline std::vector<Value> values_of(std::size_t size, std::size_t sum) {
    std::vector<Value> values(size);
    for (std::size_t i = 0; i < size; i++) {
        if ((sum + i) % 4 == 1) values[i].text = "text";
        if ((sum + i) % 4 > 1) values[i].text = std::to_string(sum) + (sum % 2 ? ".75" : "");
        if ((sum + i) % 4 > 1) values[i].number = Decimal::parse(values[i].text);
    }
    return values;
}

// Who names himself has a profile, and mostly is a member, with some points of each type.
inline Buyer buyer(const Program& program, const OrderDocument& document) {
    Buyer buyer;
    if (!document.member) return buyer;
    const std::size_t sum = sum_of(*document.member);
    buyer.kind = sum % 5 == 0 ? BuyerKind::guest : BuyerKind::member;
    buyer.key = *document.member;
    buyer.values = values_of(program.reads.profile.size(), sum);
    if (buyer.kind == BuyerKind::guest) return buyer;
    buyer.segments = some_of(program.profile_segments.size(), sum);
    buyer.tiers = some_of(program.tiers.size(), sum);
    for (std::size_t type = 0; type < program.point_types.size(); type++)
        buyer.balances.push_back({Points{50'000}, Points{40'000}, type != 2, Points{sum % 7 ? 0 : 100}, Points{}});
    return buyer;
}

inline PromoCode promo_code(const Program& program, const Order& order, const std::string& given) {
    PromoCode code{given, std::nullopt, PromoCodeStatus::unknown_code};
    const std::size_t sum = sum_of(given);
    if (program.pools.empty() || sum % 4 == 0) return code;
    PromoCodeFacts& facts = code.facts.emplace();
    facts.code = given;
    code.pool = static_cast<std::uint32_t>(sum % program.pools.size());
    facts.pool = program.pools[code.pool];
    facts.personal = sum % 4 == 1;
    facts.profile = order.buyer.key;
    if (sum % 3 == 0) facts.max_uses_per_member = 1;
    if (sum % 5 == 0) facts.expires_at = order.time.unix_us;
    code.status = judge_promo_code(facts, order.buyer, order.time.unix_us);
    return code;
}

// Saturday, 2026-11-21, at noon in Moscow.
inline LocalTime now() {
    constexpr std::int64_t hour_us = 3'600 * second_us;
    const std::chrono::sys_days day = std::chrono::year{2026} / 11 / 21;
    const std::int64_t midnight_us = day.time_since_epoch().count() * day_us;
    return {midnight_us + 9 * hour_us, midnight_us + 12 * hour_us};
}

// Every promotion with limits has worked before, twice and once for this buyer.
inline void add_allowances(Order& order, const Program& program) {
    const UsageCounters counters{2, 1, Money{1'000}, 50'000};
    for (const Index promotion : program.limited_promotions) {
        order.allowances.push_back(allow(program.promotions[promotion].usage_limits, promotion, counters,
                                         program.currency_scale, order.buyer.kind != BuyerKind::anonymous));
    }
}

// Products with an even sum of characters are in the catalogue; each belongs to one segment or none.
inline Order order(const Program& program, const OrderDocument& document, const Market& market) {
    std::vector<Product> products;
    std::vector<std::vector<std::uint32_t>> segments;
    for (const auto& line : document.lines) {
        const std::size_t sum = sum_of(line.product);
        Product product;
        product.known = sum % 2 == 0;
        if (product.known) product.price = Decimal(static_cast<std::int64_t>(sum));
        products.push_back(product);
        const std::size_t segment = sum % (program.segments.size() + 1);
        segments.push_back(segment < program.segments.size() ? std::vector{static_cast<std::uint32_t>(segment)}
                                                             : std::vector<std::uint32_t>{});
    }
    Order order = resolve(document, program, products, std::move(segments), buyer(program, document));
    resolve_place(order, document, market);
    order.time = now();
    order.segments = some_of(program.order_segments.size(), order.lines.size());
    for (auto& line : order.lines) line.values = values_of(program.reads.product.size(), sum_of(line.product));
    order.values = values_of(program.reads.order.size(), document.fields.size());
    find_partner_products(order, program, order.time.day());
    for (const auto& given : document.promo_codes) order.promo_codes.push_back(promo_code(program, order, given));
    open_pools(order);
    add_allowances(order, program);
    return order;
}

// Rounding may raise a price, which counts as a negative discount.
inline bool may_raise(const Program& program) {
    return std::any_of(program.benefits.begin(), program.benefits.end(), [](const BenefitEntry& benefit) {
        return benefit.type->name == "round_price" || benefit.type->name == "round_order_price";
    });
}

inline void check_line(const LineResult& line, bool may_raise) {
    demand(line.total == line.base - line.discount - line.points_discount, "total = base - discounts");
    demand(line.total >= Money{} && line.points_discount >= Money{}, "no figure is negative");
    if (may_raise) return;
    demand(line.discount >= Money{}, "no discount is negative");
    demand(line.allotted <= line.discount + line.points_discount, "the allotted share is a part of the discounts");
}

inline void check_result(const Program& program, const Order& order, const Calculation& calculation) {
    LineResult goods;
    const bool raises = may_raise(program);
    demand(calculation.lines.size() == order.lines.size(), "a result for each line");
    for (std::size_t i = 0; i < order.lines.size(); i++) {
        check_line(calculation.lines[i], raises);
        demand(calculation.lines[i].base == order.lines[i].base, "the base price is the order's");
        goods.total += calculation.lines[i].total;
    }
    check_line(calculation.shipping, false);
    demand(goods.total == calculation.goods.total, "sum of lines");
    demand(goods.total + calculation.shipping.total == calculation.total, "sum of lines and shipping");
    for (std::size_t type = 0; type < program.point_types.size(); type++) {
        const Points spent = calculation.points[type].spent;
        if (order.buyer.kind == BuyerKind::member) {
            demand(spent <= order.buyer.balances[type].active, "no more points are spent than there are");
        } else {
            demand(spent.is_zero(), "a guest spends no points");
        }
    }
}

// Calculates an order that was placed with a status, and looks at all that comes out: the result.
inline std::string calculate_and_check(const Program& program, const Order& order, const codec::ResultHeader& header,
                                       const std::function<bool(std::string_view)>& is_credited) {
    CalculationOptions options;
    options.traces_refusals = true;
    options.search_steps = 20'000;
    options.is_credited = is_credited;
    const Calculation calculation = calculate(program, order, options);
    check_result(program, order, calculation);
    demand(!explain(program, order, calculation).empty(), "an explanation");
    codec::JsonTextWriter writer;
    codec::write_result(writer, program, order, calculation, header);
    std::string json = writer.take();
    demand(codec::JsonDocument(json).root().find("totals") != nullptr, "the result is sound JSON");
    return json;
}

inline std::string stored(const Program& program, const Order& order) {
    codec::JsonTextWriter writer;
    codec::write_resolved_order(writer, program, order, {"new", "open"});
    return writer.take();
}

// Calculates a document; and once more as it would be stored: that must come to the same. Errors of the domain pass through.
inline void calculate_and_check(const Program& program, const OrderDocument& document) {
    const Market shop = market(program);
    check_references(document, program, shop);
    const Order resolved = order(program, document, shop);
    const std::string status = document.status.value_or("new"), time;
    const auto is_credited = [&](std::string_view credit_on) { return shop.is_credited(status, credit_on); };
    const std::string result = calculate_and_check(program, resolved, {document, time}, is_credited);
    const codec::ResolvedOrder again = codec::read_resolved_order(stored(program, resolved), program);
    demand(calculate_and_check(program, again.order, {document, time}, is_credited) == result,
           "a stored order is calculated again the same");
}

}  // namespace loyalty::fuzz
