// Any bytes as an order document: read, resolved and calculated by a fixed program. Only errors of the domain come out.
#include "codec/order_reader.hpp"
#include "core/error.hpp"
#include "fuzz/shop.hpp"
#include "unit/build.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace {

using namespace loyalty;
using namespace loyalty::build;

// All four arbitration types, both limits, all benefits.
Program make_program() {
    TreeBuilder builder;
    builder.main().max_discount_percent = decimal("60");
    builder.point_type("bonus", "1");
    builder.point_type("miles", "0.5", 0);
    builder.point_type("status", "1", 0, PointKind::qualification);
    builder.segment("tv");
    builder.segment("picks");
    builder.group("best", Arbitration::max_benefit).max_discount_amount = decimal("900");
    builder.promotion("tv", {on_products_in({"tv"}, {benefit("discount", {{"percent", "12.5"}})})}, "best");
    builder.group("both", Arbitration::summation, "best").min_product_price_percent = decimal("55");
    builder.promotion("five", {on_products({benefit("discount", {{"percent", "5"}})})}, "both");
    builder.promotion(
        "half", {on_products({benefit("discount", {{"percent", "50"}, {"max_items", "2"}, {"pick", "cheapest"}})})},
        "both");
    builder.group("one", Arbitration::incompatibility);
    builder.promotion("picks", {on_products_in({"picks"}, {benefit("discount", {{"amount", "15.55"}})})}, "one");
    builder.promotion("order", {on_order({benefit("discount", {{"percent", "7"}, {"target", "order"}})})}, "one");
    builder
        .points_promotion("pay",
                          {on_products({benefit("points_discount", {{"point_type", "bonus"}, {"percent", "20"}})}),
                           on_order({benefit("points_discount", {{"point_type", "miles"}, {"points", "33"}})})})
        .benefit_rule = BenefitRule::parallel;
    builder.points_promotion(
        "earn", {on_products({benefit("accrue_points", {{"point_type", "bonus"}, {"percent", "3"}})}),
                 on_order({benefit("accrue_points",
                                   {{"point_type", "miles"}, {"points", "10"}, {"credit_on", "delivered"}})})});
    return compile(builder.tree, 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Program program = make_program();
    try {
        fuzz::calculate_and_check(program, codec::read_order({reinterpret_cast<const char*>(data), size}));
    } catch (const Error& error) {
        fuzz::demand(error.sqlstate().size() == 5 && !error.message().empty(), "an error says what it is");
    }
    return 0;
}
