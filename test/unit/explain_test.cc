#include "core/explain/explain.hpp"

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
// "best" may take 30.00 of 126.00: 20 % = 18.00 + 7.20, then 5 % of 100.80 = 5.04 (3.60 + 1.44), cut to 4.80 (3.43 +
// 1.37); the sum of both would be cut to 30.00 too. "pay": 10 % of 68.57 and 27.43; 6.86 cost 68.6 -> 69 points, 9.60
// cost 96.
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

bool tells(const std::string& text, const std::string& line) { return text.find(line + "\n") != std::string::npos; }

// One line of 100.00. "tenth" comes first and takes it: 10.00; "quarter" would have given 25.00. Of "best" the fifth is
// chosen (20.00): the tenth alone is worth 10.00, its group of 5 % and 3 % one after the other 5.00 + 2.85 = 7.85; both
// at most 20.00 together with the fifth.
TEST(Explain, WhatWasLostTo) {
    TreeBuilder builder;
    builder.group("first", Arbitration::incompatibility);
    builder.promotion("tenth", {on_products({benefit("discount", {{"percent", "10"}})})}, "first");
    builder.promotion("quarter", {on_products({benefit("discount", {{"percent", "25"}})})}, "first");
    const Order order = OrderBuilder().line("1", 10'000).get();
    EXPECT_TRUE(
        tells(explained(builder.tree, order),
              "        ->  Promotion quarter (discount)  not applied: an earlier promotion took its place (tenth: "
              "worth 10.00; alone this is worth 25.00, 15.00 more)"))
        << explained(builder.tree, order);

    TreeBuilder choice(Arbitration::max_benefit);
    choice.main().max_discount_amount = decimal("20");
    choice.promotion("fifth", {on_products({benefit("discount", {{"percent", "20"}})})});
    choice.promotion("tenth", {on_products({benefit("discount", {{"percent", "10"}})})});
    choice.promotion("same", {on_products({benefit("discount", {{"amount", "20"}})})});
    choice.group("two", Arbitration::consistent);
    choice.promotion("five", {on_products({benefit("discount", {{"percent", "5"}})})}, "two");
    choice.promotion("three", {on_products({benefit("discount", {{"percent", "3"}})})}, "two");
    EXPECT_EQ(explained(choice.tree, order), R"(Main arbitration (max_benefit, by consistent)  100.00 -> 80.00
  Limits: maximum discount 20.00
  ->  Promotion fifth (discount)  100.00 -> 80.00
        Line 1 P1: discount -20.00
  ->  Promotion tenth (discount)  not applied: another combination is better (fifth: worth 20.00; alone this is worth 10.00, 10.00 less)
  ->  Promotion same (discount)  not applied: another combination is better (fifth: worth 20.00; alone this is worth 20.00, as much)
  ->  Group two (consistent)  not applied: another combination is better (fifth: worth 20.00; alone this is worth 7.85, 12.15 less)
        ->  Promotion five (discount)  not applied: another combination is better (without group two)
        ->  Promotion three (discount)  not applied: another combination is better (without group two)
Goods: 100.00 - discount 20.00 = 80.00
Total: 80.00 RUB
)");
}

// Lines of 100.00 (not below 95.00), 100.00 and 10.00. A tenth is 10.00, 10.00 and 1.00: the first is cut to 5.00, and
// of 16.00 "few" allows 9.00: 2.81, 5.63 and 0.56. A fifth of what the third is left with, 9.44, is 1.89, and its floor
// of 9.90 allows none of it. 50 points pay 5.00; 4.44 would be 45 points more. Two promotions that each take 60 % off
// the shipping of 3.00, in a sum: 1.80 of each is cut to 1.50.
TEST(Explain, CutByWhat) {
    TreeBuilder builder;
    builder.point_type("bonus", "10", 0);
    TreeGroup& few = builder.group("few", Arbitration::consistent);
    few.max_discount_amount = decimal("9");
    builder.promotion("tenth", {on_products({benefit("discount", {{"percent", "10"}})})}, "few");
    builder.promotion("late", {on_products({benefit("discount", {{"amount", "1"}})})}, "few");
    builder.group("floor", Arbitration::consistent).min_product_price_percent = decimal("99");
    builder.promotion("fifth", {on_products({benefit("discount", {{"percent", "20"}})})}, "floor");
    builder.segment("a");
    builder.points_promotion(
        "pay", {on_products_in({"a"}, {benefit("points_discount", {{"point_type", "bonus"}, {"amount", "25"}})})});
    builder.group("sum", Arbitration::summation);
    for (const char* id : {"post", "mail"})
        builder.promotion(id, {on_order({benefit("discount", {{"percent", "60"}, {"target", "shipping"}})})}, "sum");
    const Order order = OrderBuilder()
                            .line("1", 10'000)
                            .min_price(9'500)
                            .line("2", 10'000)
                            .line("3", 1'000)
                            .in_segments({0})
                            .shipping(300)
                            .balance(50)
                            .redeem(0)
                            .get();
    const std::string text = explained(builder.tree, order);
    for (
        const char* line :
        {"              Line 1 P1: discount -2.81, cut from 10.00 by the maximum discount of few, the minimum price of the "
         "line",
         "              Line 2 P2: discount -5.63, cut from 10.00 by the maximum discount of few",
         "              Line 3 P3: discount -0.56, cut from 1.00 by the maximum discount of few",
         "        ->  Promotion late (discount)  not applied: a limit refuses all of it (3.00 is cut by the maximum "
         "discount of few)",
         "              Line 3 P3: discount -0.00, cut from 1.89 by the minimum product price of floor",
         "        Line 3 P3: points_discount -5.00 for 50 bonus, cut from 9.44 by the points to spend: 45 bonus short",
         "              Shipping: discount of the order -1.50, cut from 1.80 by the price itself"})
        EXPECT_TRUE(tells(text, line)) << line << "\nis not in\n" << text;
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
