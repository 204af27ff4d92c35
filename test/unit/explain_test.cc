#include "core/explain.hpp"

#include "unit/build.hpp"

#include <gtest/gtest.h>

namespace loyalty {
namespace {

using build::benefit;
using build::decimal;
using build::on_order;
using build::on_products;
using build::on_products_in;
using build::OrderBuilder;
using build::TreeBuilder;

std::string explained(const Tree& tree, const Order& order) {
    const Program program = compile(tree, 1);
    CalculationOptions options;
    options.traces_refusals = true;
    options.is_credited = [](std::string_view credit_on) { return credit_on == "new"; };
    std::string text;
    for (const auto& line : explain(program, order, calculate(program, order, options))) text += line + "\n";
    return text;
}

// 100.00 + 40.00, shipping 5.00. "tv" takes 10 % of line 1; "any" finds only line 2 free; "late" nothing.
// "best" may take 30.00 of 126.00: 20 % = 18.00 + 7.20, then 5 % of 100.80 = 5.04 (3.60 + 1.44), cut to 4.80 (3.43 + 1.37); the sum
// of both would be cut to 30.00 too. "pay": 10 % of 68.57 and 27.43; 6.86 cost 68.6 -> 69 points, 9.60 cost 96.
TEST(Explain, TellsTheTree) {
    TreeBuilder builder;
    builder.point_type("bonus", "10", 0);
    builder.segment("tv");
    builder.segment("none");
    builder.group("seasonal", Arbitration::incompatibility);
    builder.promotion("tv", {on_products_in({"tv"}, {benefit("discount", {{"percent", "10"}})})}, "seasonal");
    builder.promotion("any", {on_products({benefit("discount", {{"percent", "10"}})})}, "seasonal");
    builder.promotion("late", {on_products_in({"tv"}, {benefit("discount", {{"percent", "50"}})})}, "seasonal");
    builder.promotion("off", {on_products_in({"none"}, {benefit("discount", {{"percent", "10"}})})});
    TreeGroup& best = builder.group("best", Arbitration::max_benefit);
    best.max_discount_amount = decimal("30");
    best.min_product_price_percent = decimal("12.5");
    builder.promotion("fifth", {on_products({benefit("discount", {{"percent", "20"}})})}, "best");
    builder.promotion("more", {on_order({benefit("discount", {{"percent", "5"}})})}, "best");
    builder.points_promotion("pay",
                             {on_products({benefit("points_discount", {{"point_type", "bonus"}, {"percent", "10"}})})});
    builder.points_promotion(
        "earn", {on_products({benefit("accrue_points",
                                      {{"point_type", "bonus"}, {"points", "3"}, {"credit_on", "delivered"}})})});
    builder.promotion("post", {on_order({benefit("discount", {{"percent", "100"}, {"target", "shipping"}})})});
    const Order order =
        OrderBuilder().line("1", 10'000).in_segments({0}).line("2", 4'000).shipping(500).balance(1'000).redeem(0).get();
    EXPECT_EQ(explained(builder.tree, order), R"(Main arbitration (consistent)  145.00 -> 86.40
  ->  Group seasonal (incompatibility)  145.00 -> 131.00
        ->  Promotion tv (discount)  145.00 -> 135.00
              Line 1 P1: discount -10.00
        ->  Promotion any (discount)  135.00 -> 131.00
              Line 2 P2: discount -4.00
        ->  Promotion late (discount)  not applied: an earlier promotion took its place (tv: worth 10.00; alone this is worth 50.00, 40.00 more)
  ->  Promotion off (discount)  not applied: no line fulfils its conditions (in none)
  ->  Group best (max_benefit, by consistent)  131.00 -> 101.00
        Limits: maximum discount 30.00, minimum product price 12.5 %
        ->  Promotion fifth (discount)  131.00 -> 105.80
              Line 1 P1: discount -18.00
              Line 2 P2: discount -7.20
        ->  Promotion more (discount)  105.80 -> 101.00
              Line 1 P1: discount of the order -3.43, cut from 3.60 by the maximum discount of best
              Line 2 P2: discount of the order -1.37, cut from 1.44 by the maximum discount of best
  ->  Promotion pay (points)  101.00 -> 91.40
        Line 1 P1: points_discount -6.86 for 69 bonus
        Line 2 P2: points_discount -2.74 for 27 bonus
  ->  Promotion earn (points)  91.40
        Line 1 P1: accrue_points +3 bonus, credited on delivered
        Line 2 P2: accrue_points +3 bonus, credited on delivered
  ->  Promotion post (discount)  91.40 -> 86.40
        Shipping: discount of the order -5.00
Goods: 140.00 - discount 44.00 - points 9.60 = 86.40
Shipping: 5.00 - discount 5.00 = 0.00
Total: 86.40 RUB
Points: 96 bonus spent, 6 bonus pending
)");
}

TEST(Explain, WithoutAVersion) {
    TreeBuilder builder;
    Program program = compile(builder.tree, 0);
    const Order order = OrderBuilder().line("1", 10'000).get();
    const auto lines = explain(program, order, calculate(program, order, {}));
    ASSERT_FALSE(lines.empty());
    EXPECT_EQ(lines.front(), "No version of the promotion tree was applied yet: base prices.");
    EXPECT_EQ(lines.back(), "Total: 100.00 RUB");
}

TEST(Explain, EveryReasonHasAPhrase) {
    for (int reason = 0; reason <= static_cast<int>(Reason::cut_by_limit); ++reason)
        EXPECT_FALSE(describe(static_cast<Reason>(reason)).empty());
}

}  // namespace
}  // namespace loyalty
