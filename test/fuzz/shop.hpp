// What both fuzzers share: a shop without a database, and what must hold of any calculation in it.
#pragma once

#include "codec/json.hpp"
#include "codec/result_writer.hpp"
#include "core/calculate.hpp"
#include "core/document.hpp"
#include "core/explain.hpp"
#include "core/resolve.hpp"
#include "core/tree.hpp"
#include "unit/json_text_writer.hpp"

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
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

// Whoever names himself is a member, with some points of each type.
inline Buyer buyer(const Program& program, const OrderDocument& document) {
    Buyer buyer;
    if (!document.member) return buyer;
    buyer.kind = BuyerKind::member;
    for (std::size_t type = 0; type < program.point_types.size(); type++)
        buyer.balances.push_back({Points{50'000}, Points{40'000}, type != 2});
    return buyer;
}

// Products with an even sum of characters are in the catalogue; each belongs to one segment or none.
inline Order order(const Program& program, const OrderDocument& document) {
    std::vector<Product> products;
    std::vector<std::vector<std::uint32_t>> segments;
    for (const auto& line : document.lines) {
        std::size_t sum = 0;
        for (const char c : line.product) sum += static_cast<unsigned char>(c);
        Product product;
        product.known = sum % 2 == 0;
        if (product.known) product.price = Decimal(static_cast<std::int64_t>(sum));
        products.push_back(product);
        const std::size_t segment = sum % (program.segments.size() + 1);
        segments.push_back(segment < program.segments.size() ? std::vector{static_cast<std::uint32_t>(segment)}
                                                             : std::vector<std::uint32_t>{});
    }
    return resolve(document, program, products, std::move(segments), buyer(program, document));
}

inline void check_line(const LineResult& line) {
    demand(line.total == line.base - line.discount - line.points_discount, "total = base - discounts");
    demand(line.total >= Money{} && line.discount >= Money{} && line.points_discount >= Money{},
           "no figure is negative");
    demand(line.allotted <= line.discount + line.points_discount, "the allotted share is a part of the discounts");
}

inline void check_result(const Program& program, const Order& order, const Calculation& calculation) {
    LineResult goods;
    demand(calculation.lines.size() == order.lines.size(), "a result for each line");
    for (std::size_t i = 0; i < order.lines.size(); i++) {
        check_line(calculation.lines[i]);
        demand(calculation.lines[i].base == order.lines[i].base, "the base price is the order's");
        goods.total += calculation.lines[i].total;
    }
    check_line(calculation.shipping);
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

// Calculates a document, and looks at all that comes out. Errors of the domain pass through.
inline void calculate_and_check(const Program& program, const OrderDocument& document) {
    const Market shop = market(program);
    check_references(document, program, shop);
    const Order resolved = order(program, document);
    CalculationOptions options;
    const std::string status = document.status.value_or("new");
    options.is_credited = [&](std::string_view credit_on) { return shop.is_credited(status, credit_on); };
    const Calculation calculation = calculate(program, resolved, options);
    check_result(program, resolved, calculation);
    demand(!explain(program, resolved, calculation).empty(), "an explanation");

    codec::JsonTextWriter writer;
    const std::string time;
    codec::write_result(writer, program, resolved, calculation, {document, time});
    const std::string json = writer.take();
    demand(codec::JsonDocument(json).root().find("totals") != nullptr, "the result is sound JSON");
}

}  // namespace loyalty::fuzz
