// How the children of a node combine, and what limits do. Figures in cents unless they end in `.00`.

#include "unit/build.hpp"

#include <gtest/gtest.h>

#include <set>

namespace loyalty {
namespace {

using build::benefit;
using build::calculate;
using build::decimal;
using build::on_order;
using build::on_products;
using build::on_products_in;
using build::OrderBuilder;
using build::TreeBuilder;

constexpr auto all_types = {Arbitration::consistent, Arbitration::incompatibility, Arbitration::summation,
                            Arbitration::max_benefit};

TreeBenefit percent(const std::string& value) { return benefit("discount", {{"percent", value}}); }
TreeBenefit amount(const std::string& value) { return benefit("discount", {{"amount", value}}); }
TreeBenefit pay(const std::string& value) {
    return benefit("points_discount", {{"point_type", "bonus"}, {"percent", value}});
}
TreeBenefit earn(const std::string& points) {
    return benefit("accrue_points", {{"point_type", "bonus"}, {"points", points}});
}

std::vector<std::int64_t> totals(const Calculation& result) {
    std::vector<std::int64_t> totals;
    for (const auto& line : result.lines) totals.push_back(line.total.units);
    return totals;
}
using Totals = std::vector<std::int64_t>;

// The promotions that had an effect.
std::set<std::string> applied(const Tree& tree, const Calculation& result) {
    const Program program = compile(tree, 1);
    std::set<std::string> promotions;
    for (const auto& operation : result.operations) {
        if (!operation.entry.has_effect()) continue;
        promotions.insert(
            program.promotions[program.conditions[program.benefits[operation.entry.benefit].condition].promotion].id);
    }
    return promotions;
}
using Names = std::set<std::string>;

// --- The golden example: 100 000.00, 20 % off, 15 % paid with points
// ------------------------------------------------------

std::int64_t golden(Arbitration arbitration, bool points_first) {
    TreeBuilder builder(arbitration);
    builder.point_type("bonus", "1");
    const auto add_points = [&] { builder.points_promotion("points", {on_products({pay("15")})}); };
    if (points_first) add_points();
    builder.promotion("discount", {on_products({percent("20")})});
    if (!points_first) add_points();
    return calculate(builder.tree, OrderBuilder().line("1", 10'000'000).balance(5'000'000).redeem(0).get()).total.units;
}

TEST(Golden, Consistent) {
    EXPECT_EQ(golden(Arbitration::consistent, false), 6'800'000);  // 100 000 × 0.8 = 80 000; × 0.85
    EXPECT_EQ(golden(Arbitration::consistent, true), 6'800'000);
}
TEST(Golden, Incompatibility) {
    EXPECT_EQ(golden(Arbitration::incompatibility, false), 8'000'000);
    EXPECT_EQ(golden(Arbitration::incompatibility, true), 8'500'000);
}
TEST(Golden, Summation) {
    EXPECT_EQ(golden(Arbitration::summation, false), 6'500'000);  // 20 000 + 15 000 off
    EXPECT_EQ(golden(Arbitration::summation, true), 6'500'000);
}
TEST(Golden, MaxBenefit) {
    EXPECT_EQ(golden(Arbitration::max_benefit, false), 6'500'000);  // the best of 100, 80, 85, 68, 65 thousand
    EXPECT_EQ(golden(Arbitration::max_benefit, true), 6'500'000);
}

// --- consistent
// -----------------------------------------------------------------------------------------------------------

// 1000.00: − 100 − 10 % = 810; − 10 % − 100 = 800.
TEST(Consistent, OrderMatters) {
    for (const bool amount_first : {true, false}) {
        TreeBuilder builder;
        builder.promotion("a", {on_order({amount_first ? amount("100") : percent("10")})});
        builder.promotion("b", {on_order({amount_first ? percent("10") : amount("100")})});
        EXPECT_EQ(calculate(builder.tree, OrderBuilder().line("1", 100'000).get()).total.units,
                  amount_first ? 81'000 : 80'000);
    }
}

// 3 × 12.00, 10.00 off twice. First 3.34, 3.33, 3.33 -> 8.66, 8.67, 8.67. Then 10.00 × 8.66/26 = 3.3308, × 8.67/26 =
// 3.3346 twice: the unit left over goes to the second line: 3.33, 3.34, 3.33 -> 5.33, 5.33, 5.34.
TEST(Consistent, OrderAmountsOneAfterTheOther) {
    TreeBuilder builder;
    builder.promotion("a", {on_order({amount("10")})});
    const auto order = OrderBuilder().line("1", 1200).line("2", 1200).line("3", 1200);
    EXPECT_EQ(totals(calculate(builder.tree, order.get())), (Totals{866, 867, 867}));
    builder.promotion("b", {on_order({amount("10")})});
    EXPECT_EQ(totals(calculate(builder.tree, order.get())), (Totals{533, 533, 534}));
    // One line of three units has no cents to allot.
    EXPECT_EQ(totals(calculate(builder.tree, OrderBuilder().line("1", 1200, "3").get())), (Totals{1600}));
}

// Inside a promotion all product benefits come before all order benefits: 100.00 − 50 % = 50.00, − 10.00 = 40.00 (not
// 45.00).
TEST(Consistent, ProductBenefitsComeFirst) {
    TreeBuilder builder;
    builder.promotion("p", {on_order({amount("10")}), on_products({percent("50")})});
    EXPECT_EQ(calculate(builder.tree, OrderBuilder().line("1", 10'000).get()).total.units, 4'000);
}

// A line that fulfils two conditions of a promotion gets both: 100.00 − 10 % − 10 % = 81.00; parallel: 80.00.
TEST(Consistent, EveryConditionOfAPromotionCounts) {
    TreeBuilder builder;
    builder.segment("tv");
    builder.segment("dear");
    TreePromotion& promotion = builder.promotion(
        "p", {on_products_in({"tv"}, {percent("10")}), on_products_in({"dear", "tv"}, {percent("10")})});
    const Order order =
        OrderBuilder().line("1", 10'000).in_segments({0, 1}).line("2", 10'000).in_segments({1}).line("3", 10'000).get();
    EXPECT_EQ(totals(calculate(builder.tree, order)), (Totals{8'100, 9'000, 10'000}));
    promotion.benefit_rule = BenefitRule::parallel;
    EXPECT_EQ(totals(calculate(builder.tree, order)), (Totals{8'000, 9'000, 10'000}));
    promotion.conditions[0].mode = ConditionMode::outside;
    EXPECT_EQ(totals(calculate(builder.tree, order)), (Totals{9'000, 8'000, 9'000}));
}

TEST(Consistent, MembersOnly) {
    TreeBuilder builder;
    builder.promotion("p", {on_products({percent("10")})}).audience = Audience::members;
    Order order = OrderBuilder().line("1", 10'000).get();
    EXPECT_EQ(calculate(builder.tree, order).total.units, 10'000);
    EXPECT_EQ(calculate(builder.tree, order).trace.promotions[0].reason, Reason::not_in_audience);
    order.buyer.kind = BuyerKind::member;
    EXPECT_EQ(calculate(builder.tree, order).total.units, 9'000);
}

// --- summation
// ------------------------------------------------------------------------------------------------------------

// Groups of different types inside each other. g1 (summation): 10 % + 5 % of 100.00 -> 85.00; g2 (incompatibility): 20
// % of 85.00 -> 68.00, the second has nothing left; main is consistent.
TEST(Nested, GroupsOfDifferentTypes) {
    TreeBuilder builder;
    builder.group("g1", Arbitration::summation);
    builder.group("g2", Arbitration::incompatibility);
    builder.promotion("a", {on_products({percent("10")})}, "g1");
    builder.promotion("b", {on_products({percent("5")})}, "g1");
    builder.promotion("c", {on_products({percent("20")})}, "g2");
    builder.promotion("d", {on_products({percent("50")})}, "g2");
    EXPECT_EQ(calculate(builder.tree, OrderBuilder().line("1", 10'000).get()).total.units, 6'800);
    // Summed in main, each group begins with 100.00: 15.00 + 20.00.
    builder.main().arbitration = Arbitration::summation;
    EXPECT_EQ(calculate(builder.tree, OrderBuilder().line("1", 10'000).get()).total.units, 6'500);
    // The better of the two groups, or both: max_benefit sums them.
    builder.main().arbitration = Arbitration::max_benefit;
    EXPECT_EQ(calculate(builder.tree, OrderBuilder().line("1", 10'000).get()).total.units, 6'500);
    // Only the first has a say.
    builder.main().arbitration = Arbitration::incompatibility;
    EXPECT_EQ(calculate(builder.tree, OrderBuilder().line("1", 10'000).get()).total.units, 8'500);
}

TEST(Nested, NineLevels) {
    for (const auto arbitration : all_types) {
        TreeBuilder builder(arbitration);
        std::string parent = "main";
        for (int level = 1; level <= 9; ++level) {
            builder.group("g" + std::to_string(level), arbitration, parent);
            parent = "g" + std::to_string(level);
        }
        builder.promotion("p", {on_products({percent("10")})}, parent);
        EXPECT_EQ(calculate(builder.tree, OrderBuilder().line("1", 10'000).get()).total.units, 9'000);
    }
}

// Reductions are never more than the price: 60 % + 60 % of 10.00 gives 0.00, 5.00 to each.
TEST(Summation, IsCutAtZero) {
    TreeBuilder builder(Arbitration::summation);
    builder.promotion("a", {on_products({percent("60")})});
    builder.promotion("b", {on_products({percent("60")})});
    const Calculation result = calculate(builder.tree, OrderBuilder().line("1", 1'000).get());
    EXPECT_EQ(result.total.units, 0);
    ASSERT_EQ(result.operations.size(), 2u);
    EXPECT_EQ(result.operations[0].entry.applied.units, 500);
    EXPECT_EQ(result.operations[0].entry.asked.units, 600);
    EXPECT_EQ(result.operations[1].entry.applied.units, 500);
}

// Half off the first unit and 1.00 off two units of 3 × 10.00: pieces of 1, 1, 1 unit; 5.00 + 1.00, 1.00, 0.
TEST(Summation, AddsPerUnit) {
    TreeBuilder builder(Arbitration::summation);
    builder.promotion("a", {on_products({benefit("discount", {{"percent", "50"}, {"max_items", "1"}})})});
    builder.promotion("b", {on_products({benefit("discount", {{"amount", "1"}, {"max_items", "2"}})})});
    EXPECT_EQ(calculate(builder.tree, OrderBuilder().line("1", 1'000, "3").get()).total.units, 2'300);
    // 9.50 + 1.00 off the first unit is more than it costs: 10.00 and 1.00.
    builder.tree.promotions[0].conditions[0].benefits[0] = benefit("discount", {{"percent", "95"}, {"max_items", "1"}});
    EXPECT_EQ(calculate(builder.tree, OrderBuilder().line("1", 1'000, "3").get()).total.units, 1'900);
}

// 10.00: 60 % off and 60 % by points. Money first: 6.00, then points get the 4.00 that are left.
TEST(Summation, MoneyGoesBeforePoints) {
    TreeBuilder builder(Arbitration::summation);
    builder.point_type("bonus", "1");
    builder.points_promotion("points", {on_products({pay("60")})});
    builder.promotion("money", {on_products({percent("60")})});
    const Calculation result = calculate(builder.tree, OrderBuilder().line("1", 1'000).balance(10'000).redeem(0).get());
    EXPECT_EQ(result.lines[0].discount.units, 600);
    EXPECT_EQ(result.lines[0].points_discount.units, 400);
}

// Two point types of 60 % each: the one that the order names first comes first.
TEST(Summation, PointTypesInTheOrderOfRedeem) {
    TreeBuilder builder(Arbitration::summation);
    builder.point_type("bonus", "1");
    builder.point_type("miles", "10", 0);
    builder.points_promotion("a", {on_products({pay("60")})});
    builder.points_promotion("b",
                             {on_products({benefit("points_discount", {{"point_type", "miles"}, {"percent", "60"}})})});
    const auto order = [] { return OrderBuilder().line("1", 1'000).balance(10'000).balance(10'000); };
    const Calculation first = calculate(builder.tree, order().redeem(0).redeem(1).get());
    EXPECT_EQ(first.points[0].spent.units, 600);
    EXPECT_EQ(first.points[1].spent.units, 40);
    const Calculation second = calculate(builder.tree, order().redeem(1).redeem(0).get());
    EXPECT_EQ(second.points[0].spent.units, 400);
    EXPECT_EQ(second.points[1].spent.units, 60);
}

// A budget of 5.00. Each promotion alone pays 2.00 of two lines of 10.00; of the sum, 8.00, the budget leaves 2.50
// each.
TEST(Summation, ABudgetThatBitesIsShared) {
    TreeBuilder builder(Arbitration::summation);
    builder.point_type("bonus", "1");
    builder.points_promotion("a", {on_products({pay("20")})});
    builder.points_promotion("b", {on_products({pay("20")})});
    const Order order = OrderBuilder().line("1", 1'000).line("2", 1'000).balance(500).redeem(0).get();
    EXPECT_EQ(totals(calculate(builder.tree, order)), (Totals{750, 750}));
    // One after the other "b" finds 1.00 left for both lines.
    builder.main().arbitration = Arbitration::consistent;
    EXPECT_EQ(totals(calculate(builder.tree, order)), (Totals{750, 750}));
    // A promotion in a sum is cut by itself first: 30 % are 3.00 each, cut to 2.50. The sum, 5.00 and 5.00, gives 2.50
    // and 2.50.
    builder.main().arbitration = Arbitration::summation;
    for (auto& promotion : builder.tree.promotions) promotion.conditions[0].benefits[0] = pay("30");
    EXPECT_EQ(totals(calculate(builder.tree, order)), (Totals{750, 750}));
}

// A sum of one child is what the child has done, to the cent, also beside a child that does nothing.
// a: 3 × 0.99 = 2.97, b: 1.00. 20 % leaves 2.38 and 0.80. 50 % of the two most expensive units: b, 0.80 -> 0.40, and
// one a, worth 2.38/3 -> 0.79, less 0.40 (0.395 rounded) -> 0.39. 9.00 off two units in line order: that a, and the
// next one, of 1.59 for two worth 0.80. a: 2.38 − 0.79 − 0.80 = 0.79. Summed as units of 0.99 each, it would be 0.80.
TEST(Summation, OfOneChildIsTheChild) {
    TreeBuilder builder(Arbitration::summation);
    builder.point_type("bonus", "1");
    builder.promotion(
        "p", {on_products({percent("20"),
                           benefit("discount", {{"percent", "50"}, {"max_items", "2"}, {"pick", "most_expensive"}}),
                           benefit("discount", {{"amount", "9"}, {"max_items", "2"}})})});
    builder.points_promotion("nothing", {on_products({pay("10")})});
    EXPECT_EQ(totals(calculate(builder.tree, OrderBuilder().line("a", 99, "3").line("b", 100).balance(100).get())),
              (Totals{79, 40}));
}

// 80 % and 50 % off a shipping of 10.00: 8.00 + 5.00, cut to 10.00 by allotment: 6.15 and 3.85.
TEST(Summation, ShippingIsCutToItsPrice) {
    TreeBuilder builder(Arbitration::summation);
    builder.promotion("a", {on_order({benefit("discount", {{"percent", "80"}, {"target", "shipping"}})})});
    builder.promotion("b", {on_order({benefit("discount", {{"percent", "50"}, {"target", "shipping"}})})});
    const Calculation result = calculate(builder.tree, OrderBuilder().line("1", 1'000).shipping(1'000).get());
    EXPECT_EQ(result.total.units, 1'000);
    EXPECT_EQ(result.operations[0].entry.applied.units, 615);
    EXPECT_EQ(result.operations[1].entry.applied.units, 385);
}

TEST(Summation, ParallelPromotionIsOne) {
    TreeBuilder builder;
    builder.promotion("p", {on_products({percent("20"), percent("10")}), on_order({percent("5")})}).benefit_rule =
        BenefitRule::parallel;
    EXPECT_EQ(calculate(builder.tree, OrderBuilder().line("1", 10'000).get()).total.units, 6'500);
}

// --- incompatibility
// ------------------------------------------------------------------------------------------------------

TEST(Incompatibility, OnePromotionMayWinOneLineAndAnotherTheOther) {
    TreeBuilder builder(Arbitration::incompatibility);
    builder.segment("tv");
    builder.promotion("a", {on_products_in({"tv"}, {percent("10")})});
    builder.promotion("b", {on_products({percent("20")})});
    const Calculation result =
        calculate(builder.tree, OrderBuilder().line("1", 10'000).in_segments({0}).line("2", 10'000).get());
    EXPECT_EQ(totals(result), (Totals{9'000, 8'000}));
}

// "a" takes line 1, so 10 % of the order are 10 % of line 2. The order is taken then, and with it line 2.
TEST(Incompatibility, AnOrderLevelBenefitWorksOnFreeLines) {
    TreeBuilder builder(Arbitration::incompatibility);
    builder.segment("tv");
    builder.promotion("a", {on_products_in({"tv"}, {percent("10")})});
    builder.promotion("b", {on_order({percent("10")})});
    builder.promotion("c", {on_order({percent("50")})});
    builder.promotion("d", {on_products({percent("50")})});
    const Calculation result =
        calculate(builder.tree, OrderBuilder().line("1", 10'000).in_segments({0}).line("2", 10'000).get());
    EXPECT_EQ(totals(result), (Totals{9'000, 9'000}));
    EXPECT_EQ(result.trace.promotions[2].reason, Reason::taken);
    EXPECT_EQ(result.trace.promotions[2].lost_to.at(0).index, 1u);
    EXPECT_EQ(result.trace.promotions[3].reason, Reason::taken);
}

// Shipping is a target of its own, but a discount of the shipping is of the order level and takes "order".
TEST(Incompatibility, Shipping) {
    TreeBuilder builder(Arbitration::incompatibility);
    builder.promotion("a", {on_order({benefit("discount", {{"percent", "50"}, {"target", "shipping"}})})});
    builder.promotion("b", {on_products({percent("20")})});
    builder.promotion("c", {on_order({benefit("discount", {{"percent", "50"}, {"target", "order"}})})});
    const Calculation result = calculate(builder.tree, OrderBuilder().line("1", 10'000).shipping(1'000).get());
    EXPECT_EQ(result.shipping.total.units, 500);
    EXPECT_EQ(result.lines[0].total.units, 8'000);
}

// What has no effect takes nothing: the first is refused by the minimum price of line 1, a zero is no effect.
TEST(Incompatibility, ZeroTakesNothing) {
    TreeBuilder builder(Arbitration::incompatibility);
    builder.point_type("bonus", "1", 0);
    builder.group("floor", Arbitration::consistent).min_product_price_percent = decimal("100");
    builder.promotion("a", {on_products({percent("10")})}, "floor");
    builder.points_promotion(
        "zero", {on_products({benefit("accrue_points", {{"point_type", "bonus"}, {"percent", "0.1"}})})});  // 0.1 -> 0
    builder.promotion("b", {on_products({percent("20")})});
    EXPECT_EQ(calculate(builder.tree, OrderBuilder().line("1", 10'000).balance(0).get()).total.units, 8'000);
    // An accrual that is not zero takes its line.
    builder.tree.promotions[1].conditions[0].benefits[0] = earn("1");
    EXPECT_EQ(calculate(builder.tree, OrderBuilder().line("1", 10'000).balance(0).get()).total.units, 10'000);
}

// Inside the first child nothing has been taken yet: its two promotions stack. For the second child both lines are
// taken.
TEST(Incompatibility, AChildIsOneEvenIfItIsAGroup) {
    TreeBuilder builder(Arbitration::incompatibility);
    builder.group("g", Arbitration::consistent);
    builder.promotion("a", {on_products({percent("10")})}, "g");
    builder.promotion("b", {on_products({percent("10")})}, "g");
    builder.promotion("c", {on_products({percent("50")})});
    EXPECT_EQ(calculate(builder.tree, OrderBuilder().line("1", 10'000).get()).total.units, 8'100);
    // The same two in a nested incompatibility exclude each other, and what the outer one has taken stays taken inside.
    builder.tree.groups[1].arbitration = Arbitration::incompatibility;
    EXPECT_EQ(calculate(builder.tree, OrderBuilder().line("1", 10'000).get()).total.units, 9'000);
    builder.tree.promotions[2].position = -1;
    EXPECT_EQ(calculate(builder.tree, OrderBuilder().line("1", 10'000).get()).total.units, 5'000);
}

// --- Limits
// ---------------------------------------------------------------------------------------------------------------

// g1 allows 20 % of 100.00: 50 % is cut to 20.00. Main allows 30.00: 50 % of 80.00 is cut to 10.00.
TEST(Limits, MaximumDiscountsOnTwoLevels) {
    TreeBuilder builder;
    builder.main().max_discount_amount = decimal("30");
    builder.group("g1", Arbitration::consistent).max_discount_percent = decimal("20");
    builder.promotion("a", {on_products({percent("50")})}, "g1");
    builder.promotion("b", {on_products({percent("50")})});
    const Calculation result = calculate(builder.tree, OrderBuilder().line("1", 10'000).get());
    EXPECT_EQ(result.total.units, 7'000);
    EXPECT_EQ(result.operations[0].entry.asked.units, 5'000);
    EXPECT_EQ(result.operations[0].entry.applied.units, 2'000);
    EXPECT_EQ(result.operations[1].entry.asked.units, 4'000);
    EXPECT_EQ(result.operations[1].entry.applied.units, 1'000);
}

// A limit counts what was done in its own subtree: 30.00 before g1 leave its 20.00 whole; g2 has its own.
TEST(Limits, AMaximumDiscountCountsItsSubtreeOnly) {
    TreeBuilder builder;
    builder.promotion("before", {on_products({amount("30")})});
    builder.group("g1", Arbitration::consistent).max_discount_amount = decimal("20");
    builder.promotion("a", {on_products({amount("15")})}, "g1");
    builder.promotion("b", {on_products({amount("15")})}, "g1");
    builder.group("g2", Arbitration::consistent).max_discount_amount = decimal("5");
    builder.promotion("c", {on_products({amount("15")})}, "g2");
    EXPECT_EQ(calculate(builder.tree, OrderBuilder().line("1", 10'000).get()).total.units, 4'500);  // 100 − 30 − 20 − 5
}

// Product-level effects are cut in line order, whatever the document's; an order-level one is shared anew.
TEST(Limits, HowAMaximumDiscountIsShared) {
    const Order order = OrderBuilder().line("2", 1'000).line("1", 2'000).get();
    TreeBuilder product;
    product.main().max_discount_amount = decimal("11");
    product.promotion("p", {on_products({percent("50")})});
    EXPECT_EQ(totals(calculate(product.tree, order)),
              (Totals{1'267, 633}));  // 11.00 over 10.00 and 5.00: 7.33 and 3.67
    TreeBuilder whole;
    whole.main().max_discount_amount = decimal("11");
    whole.promotion("p", {on_order({percent("50")})});
    EXPECT_EQ(totals(calculate(whole.tree, order)), (Totals{1'267, 633}));
}

// Under summation a limit is shared too: 10 % + 20 % of 10.00 and 20.00 ask for 3.00 and 6.00; of 7.00 that is 2.33 and
// 4.67.
TEST(Limits, AMaximumDiscountUnderSummation) {
    TreeBuilder builder(Arbitration::summation);
    builder.main().max_discount_amount = decimal("7");
    builder.promotion("a", {on_products({percent("10")})});
    builder.promotion("b", {on_products({percent("20")})});
    const Order order = OrderBuilder().line("1", 1'000).line("2", 2'000).get();
    EXPECT_EQ(totals(calculate(builder.tree, order)), (Totals{767, 1'533}));
    // consistent: 1.00 and 2.00, then of 1.80 and 3.60 the 4.00 that are left: 1.33 and 2.67.
    builder.main().arbitration = Arbitration::consistent;
    EXPECT_EQ(totals(calculate(builder.tree, order)), (Totals{767, 1'533}));
}

// A promotion inside a summation is limited by the groups around the sum already while it is evaluated: "a" alone may
// take 20.00.
TEST(Limits, BindInsideASumToo) {
    TreeBuilder builder(Arbitration::summation);
    builder.main().max_discount_amount = decimal("20");
    builder.promotion("a", {on_products({percent("50"), percent("50")})});
    EXPECT_EQ(calculate(builder.tree, OrderBuilder().line("1", 10'000).get()).total.units, 8'000);
}

// Minimum price 7.00 on the line, 60 % and 5.00 on groups: the highest binds, whoever lowered the price.
TEST(Limits, MinimumPrices) {
    TreeBuilder builder;
    builder.main().min_product_price_percent = decimal("60");
    builder.group("g", Arbitration::consistent).min_product_price_amount = decimal("5");
    builder.promotion("a", {on_products({percent("90")})}, "g");
    const Order order =
        OrderBuilder().line("1", 1'000).min_price(700).line("2", 1'000).line("3", 600).line("4", 300).get();
    EXPECT_EQ(totals(calculate(builder.tree, order)),
              (Totals{700, 600, 500, 300}));  // line 4 costs less than 5.00 already
    builder.promotion("b", {on_order({percent("50")})});
    // Outside g the floor of line 3 is 60 % of 6.00 = 3.60, that of line 4 is 1.80: half of 5.00 is cut to 1.40, 1.50
    // to 1.20.
    EXPECT_EQ(totals(calculate(builder.tree, order)), (Totals{700, 600, 360, 180}));
}

// 10.00 over two lines of 10.00, of which one may not fall below 9.00: what the floor refuses is moved to the other.
// Where that has a floor of 5.00, too, 4.00 cannot be given, and each line shows its half of that.
TEST(Limits, WhatAFloorRefusesOfAnAmountIsMoved) {
    TreeBuilder builder;
    builder.promotion("a", {on_order({amount("10")})});
    const Calculation moved =
        calculate(builder.tree, OrderBuilder().line("1", 1'000).min_price(900).line("2", 1'000).get());
    EXPECT_EQ(totals(moved), (Totals{900, 100}));
    EXPECT_EQ(moved.operations[0].entry.asked.units, 100);
    EXPECT_FALSE(moved.operations[0].entry.cut_by.any());
    const Calculation left =
        calculate(builder.tree, OrderBuilder().line("1", 1'000).min_price(900).line("2", 1'000).min_price(500).get());
    EXPECT_EQ(totals(left), (Totals{900, 500}));
    EXPECT_EQ(left.operations[0].entry.asked.units, 300);
    EXPECT_EQ(left.operations[1].entry.asked.units, 700);
    EXPECT_TRUE(left.operations[1].entry.cut_by.any());
}

// The floor of 2.5 kg at 3.33 is round(8.325) = 8.33, of a third of 1.00 for 3 units exactly 1.00.
TEST(Limits, AFloorIsRoundedOnce) {
    TreeBuilder builder;
    builder.promotion("a", {on_products({percent("100")})});
    EXPECT_EQ(totals(calculate(builder.tree, OrderBuilder().line("1", 1'000, "2.5").min_price(333).get())),
              (Totals{833}));
    builder.main().min_product_price_percent = decimal("33.333334");
    EXPECT_EQ(totals(calculate(builder.tree, OrderBuilder().line("1", 100, "3").get())), (Totals{100}));
}

// A price that is below its floor from the start is not raised.
TEST(Limits, LowPricesStay) {
    TreeBuilder builder;
    builder.main().min_product_price_amount = decimal("50");
    builder.promotion("a", {on_products({percent("10")})});
    const Calculation result = calculate(builder.tree, OrderBuilder().line("1", 1'000).get());
    EXPECT_EQ(result.total.units, 1'000);
    EXPECT_EQ(result.trace.promotions[0].reason, Reason::cut_by_limit);
}

// Shipping is outside of limits; points are inside.
TEST(Limits, WhatTheyCount) {
    TreeBuilder builder;
    builder.point_type("bonus", "1");
    builder.main().max_discount_amount = decimal("10");
    builder.promotion("shipping", {on_order({benefit("discount", {{"percent", "100"}, {"target", "shipping"}})})});
    builder.points_promotion("points", {on_products({pay("50")})});
    builder.promotion("money", {on_products({percent("50")})});
    const Calculation result =
        calculate(builder.tree, OrderBuilder().line("1", 10'000).shipping(5'000).balance(100'000).redeem(0).get());
    EXPECT_EQ(result.shipping.total.units, 0);
    EXPECT_EQ(result.lines[0].points_discount.units, 1'000);
    EXPECT_EQ(result.lines[0].discount.units, 0);
}

// --- max_benefit
// ----------------------------------------------------------------------------------------------------------

// − 100 and − 10 % of 1000.00: one after the other at most 200; summed 200 as well where the percentage comes first
// (1000 − 100 = 900, 900 − 100): consistent is preferred. The other way round only the sum gives 200.
TEST(MaxBenefit, ConsistentOrSummation) {
    for (const bool percent_first : {true, false}) {
        TreeBuilder builder(Arbitration::max_benefit);
        builder.promotion("a", {on_products({percent_first ? percent("10") : amount("100")})});
        builder.promotion("b", {on_products({percent_first ? amount("100") : percent("10")})});
        const Calculation result = calculate(builder.tree, OrderBuilder().line("1", 100'000).get());
        EXPECT_EQ(result.total.units, 80'000);
        EXPECT_EQ(result.trace.groups[0].summed, !percent_first);
        EXPECT_TRUE(result.optimal);
    }
}

// Where it makes no difference, on lines of their own, the combination is consistent.
TEST(MaxBenefit, ATieOfSumAndConsistent) {
    TreeBuilder builder(Arbitration::max_benefit);
    builder.segment("tv");
    builder.segment("radio");
    builder.promotion("a", {on_products_in({"tv"}, {percent("10")})});
    builder.promotion("b", {on_products_in({"radio"}, {percent("10")})});
    const Calculation result = calculate(
        builder.tree, OrderBuilder().line("1", 1'000).in_segments({0}).line("2", 1'000).in_segments({1}).get());
    EXPECT_EQ(result.total.units, 1'800);
    EXPECT_FALSE(result.trace.groups[0].summed);
}

// The limit of 10.00 makes "b" alone worth as much as all three: fewer children.
TEST(MaxBenefit, FewerChildrenWinATie) {
    TreeBuilder builder(Arbitration::max_benefit);
    builder.main().max_discount_amount = decimal("10");
    builder.promotion("a", {on_products({amount("5")})});
    builder.promotion("b", {on_products({amount("10")})});
    builder.promotion("c", {on_products({amount("7")})});
    const Calculation result = calculate(builder.tree, OrderBuilder().line("1", 10'000).get());
    EXPECT_EQ(result.total.units, 9'000);
    EXPECT_EQ(applied(builder.tree, result), Names{"b"});
    // Of two alike the earlier.
    builder.promotion("d", {on_products({amount("12")})}).position = -1;
    EXPECT_EQ(applied(builder.tree, calculate(builder.tree, OrderBuilder().line("1", 10'000).get())), Names{"d"});
}

// 10.00 by points or 10.00 off, and no more than 10.00: money in hand is kept by taking the discount, though it comes
// later.
TEST(MaxBenefit, LessPaidWithPointsWinsATie) {
    TreeBuilder builder(Arbitration::max_benefit);
    builder.point_type("bonus", "1");
    builder.main().max_discount_amount = decimal("10");
    builder.points_promotion("points", {on_products({pay("10")})});
    builder.promotion("money", {on_products({percent("10")})});
    const Calculation result =
        calculate(builder.tree, OrderBuilder().line("1", 10'000).balance(100'000).redeem(0).get());
    EXPECT_EQ(result.total.units, 9'000);
    EXPECT_EQ(applied(builder.tree, result), Names{"money"});
    // Even if that takes two children: 4.00 + 6.00.
    builder.tree.promotions[1].conditions[0].benefits[0] = amount("4");
    builder.promotion("more", {on_products({amount("6")})});
    const Calculation two = calculate(builder.tree, OrderBuilder().line("1", 10'000).balance(100'000).redeem(0).get());
    EXPECT_EQ(applied(builder.tree, two), (Names{"money", "more"}));
}

// 3 × 10.00; "a" and "b" each give the cheapest unit free, "c" a share of the goods in points, 10 of them worth 1.00.
// One after the other: 20.00 off and the share of 10.00. Summed, "a" and "b" give the same unit free: 10.00 and the
// share of 30.00. 49 %: 24.90 against 24.70. 50 %: 25.00 both, but the sum needs only "a" and "c". 51 %: 25.10 against
// 25.30.
TEST(MaxBenefit, PointsCountAtTheirWorth) {
    for (const auto& [share, winners, points] : {std::tuple{"49", Names{"a", "b", "c"}, 4'900},
                                                 {"50", Names{"a", "c"}, 15'000},
                                                 {"51", Names{"a", "c"}, 15'300}}) {
        TreeBuilder builder(Arbitration::max_benefit);
        builder.point_type("bonus", "10");
        const auto free_unit = benefit("discount", {{"percent", "100"}, {"max_items", "1"}, {"pick", "cheapest"}});
        builder.promotion("a", {on_products({free_unit})});
        builder.promotion("b", {on_products({free_unit})});
        builder.points_promotion("c",
                                 {on_order({benefit("accrue_points", {{"point_type", "bonus"}, {"percent", share}})})});
        const Order order = OrderBuilder().line("1", 1'000, "3").balance(0).get();
        const Calculation result = calculate(builder.tree, order);
        EXPECT_EQ(applied(builder.tree, result), winners) << share;
        EXPECT_EQ(result.points[0].accrued.units, points);
        // Qualification points are worth nothing.
        builder.tree.point_types[0].kind = PointKind::qualification;
        EXPECT_EQ(applied(builder.tree, calculate(builder.tree, order)), (Names{"a", "b"}));
    }
}

// A lower price may leave more behind a sum: 40 % twice takes 0.01 each of 0.02, but nothing of 0.01. So the two
// together alone are worth the whole price, and need one child, where 33.3 % and 66.7 % one after the other (0.01 each)
// need two.
TEST(MaxBenefit, ASumInsideIsNotMonotone) {
    for (const bool as_group : {false, true}) {
        TreeBuilder builder(Arbitration::max_benefit);
        builder.promotion("third", {on_products({percent("33.3")})});
        builder.promotion("thirds", {on_products({percent("66.7")})});
        if (as_group) {
            builder.group("g", Arbitration::summation);
            builder.promotion("x", {on_products({percent("40")})}, "g");
            builder.promotion("y", {on_products({percent("40")})}, "g");
        } else {
            builder.promotion("x", {on_products({percent("40"), percent("40")})}).benefit_rule = BenefitRule::parallel;
        }
        const Calculation result = calculate(builder.tree, OrderBuilder().line("1", 2).get());
        EXPECT_EQ(result.total.units, 0);
        EXPECT_EQ(applied(builder.tree, result), as_group ? (Names{"x", "y"}) : Names{"x"});
    }
}

// What is refused splits no units, in a sum either, so it matters to nothing that follows. a: 3 × 1.00, b: 2.50,
// lowered to their floors of 12.345678 %, 0.37 and 0.31. "split" would take 8.91 off the cheapest unit; nothing is left
// to take. Were a one unit of 0.12 and two of 0.25 now, "pay" could pay 0.01 of the first of those two, which has a
// floor of 0.12.
TEST(MaxBenefit, AnIdleChildSplitsNothing) {
    TreeBuilder builder;
    builder.point_type("bonus", "1");
    builder.main().min_product_price_percent = decimal("12.345678");
    builder.promotion("before", {on_products({amount("6.28")})});
    builder.group("g", Arbitration::max_benefit);
    builder
        .promotion("split",
                   {on_products({benefit("discount", {{"amount", "8.91"}, {"max_items", "1"}, {"pick", "cheapest"}})})},
                   "g")
        .benefit_rule = BenefitRule::parallel;
    builder.points_promotion(
        "pay",
        {on_products(
            {benefit("points_discount",
                     {{"point_type", "bonus"}, {"percent", "15"}, {"max_items", "2"}, {"pick", "most_expensive"}})})},
        "g");
    const Calculation result =
        calculate(builder.tree, OrderBuilder().line("a", 100, "3").line("b", 250).balance(100).redeem(0).get());
    EXPECT_EQ(totals(result), (Totals{37, 31}));
}

// A sum may shrink when a child joins it, where several point types pay. a: 5 × 2.50, c: 2 × 39.18, d: 5 × 10.00, in
// all 140.86. "miles": 7.26 miles at 0.07 for 1.00 = 103.71 off the order. "all": line a by bonus points, worth 12.14
// in all. "tenth": 10 % of the order, 14.09, by bonus points too. "miles" and "tenth" sum up to 103.71 + 12.14 =
// 115.85. With "all" the bonus points gather on line a, where the miles then find less room, and the sum is smaller.
TEST(MaxBenefit, ASumMayShrinkWhenAChildJoins) {
    TreeBuilder builder(Arbitration::max_benefit);
    builder.point_type("bonus", "10", 1);
    builder.point_type("miles", "0.07");
    builder.segment("a");
    builder.points_promotion("miles",
                             {on_order({benefit("points_discount", {{"point_type", "miles"}, {"points", "7.26"}})})});
    builder.points_promotion("all", {on_products_in({"a"}, {pay("100")})});
    builder.points_promotion(
        "tenth", {on_order({pay("10"), benefit("points_discount", {{"point_type", "bonus"}, {"points", "62.1"}})})});
    const Order order = OrderBuilder()
                            .line("a", 250, "5")
                            .in_segments({0})
                            .line("c", 3'918, "2")
                            .line("d", 1'000, "5")
                            .balance(4'139)
                            .balance(1'473)
                            .redeem(0, 1'214)
                            .redeem(1)
                            .get();
    const Calculation result = calculate(builder.tree, order);
    EXPECT_EQ(result.total.units, 14'086 - 11'585);
    EXPECT_EQ(applied(builder.tree, result), (Names{"miles", "tenth"}));
    EXPECT_TRUE(result.trace.groups[0].summed);
}

// Nested searches: the inner group gives 30.00 (sum of 10 % and 20 %) rather than 28.00, the outer adds 5.00 off the
// 70.00 left.
TEST(MaxBenefit, Nested) {
    TreeBuilder builder(Arbitration::max_benefit);
    builder.group("g", Arbitration::max_benefit);
    builder.promotion("a", {on_products({percent("10")})}, "g");
    builder.promotion("b", {on_products({percent("20")})}, "g");
    builder.promotion("c", {on_products({amount("5")})});
    EXPECT_EQ(calculate(builder.tree, OrderBuilder().line("1", 10'000).get()).total.units, 6'500);
}

// A sum accrues on the full price: the best combination of a discount and of points for what is paid.
TEST(MaxBenefit, SumsADiscountAndAnAccrual) {
    TreeBuilder builder;
    builder.group("g", Arbitration::max_benefit);
    builder.point_type("bonus", "1");
    builder.promotion("first", {on_products({amount("45")})}, "g");
    builder.points_promotion(
        "accrual", {on_products({benefit("accrue_points", {{"point_type", "bonus"}, {"percent", "100"}})})}, "g");
    // Alone: 45.00 off, or 100.00 in points. Consistent: 45.00 + 55.00 = 100.00. Summed: 45.00 + 100.00 = 145.00.
    const Calculation result = calculate(builder.tree, OrderBuilder().line("1", 10'000).balance(0).get());
    EXPECT_EQ(result.total.units, 5'500);
    EXPECT_EQ(result.points[0].accrued.units, 10'000);
    EXPECT_TRUE(result.trace.groups[1].summed);
}

}  // namespace
}  // namespace loyalty
