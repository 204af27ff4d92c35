// What usage limits leave, and how budgets cut. Mixtures with everything else are left to the property tests.
#include "core/program/usage.hpp"

#include "core/calculate/calculate.hpp"
#include "core/program/tree.hpp"

#include "unit/build.hpp"

#include <gtest/gtest.h>

namespace loyalty {
namespace {

using build::decimal;
using Uses = Allowance::Uses;

TEST(Usage, UsesAreLeftUntilAllAreUsed) {
    const UsageLimits limits{.max_uses = 2, .max_uses_per_member = 1};
    EXPECT_EQ(allow(limits, 0, {.uses = 1}, 2, true).uses, Uses::left);
    EXPECT_EQ(allow(limits, 0, {.uses = 1}, 2, false).uses, Uses::uncounted);
    EXPECT_EQ(allow(limits, 0, {.uses = 1, .uses_of_buyer = 1}, 2, true).uses, Uses::used_up_by_buyer);
    EXPECT_EQ(allow(limits, 0, {.uses = 2}, 2, true).uses, Uses::used_up);
    EXPECT_EQ(allow(limits, 0, {.uses = 3}, 2, true).uses, Uses::used_up) << "a limit that was lowered";
    EXPECT_EQ(allow({}, 0, {.uses = 1'000'000, .uses_of_buyer = 1'000'000}, 2, false).uses, Uses::left);
}

TEST(Usage, BudgetsAreRoundedDownAndNeverBelowNothing) {
    const auto left = [](const char* money, std::int64_t used, int scale) {
        return allow({.money_budget = decimal(money)}, 0, {.money = {used}}, scale, true).money->units;
    };
    EXPECT_EQ(left("10", 999, 2), 1);
    EXPECT_EQ(left("10.009", 0, 2), 1000);
    EXPECT_EQ(left("10", 1001, 2), 0);
    EXPECT_EQ(left("10.5", 3, 0), 7);
    EXPECT_EQ(left("1e30", 0, 4), 999'999'999'999'999'999) << "more than any order can use";
    const UsageLimits points{.points_budget = decimal("1.00005")};
    EXPECT_EQ(*allow(points, 0, {.points = 9'999}, 2, true).points, 1) << "in ten-thousandths";
    EXPECT_FALSE(allow(points, 0, {}, 2, true).money.has_value());
}

// An order of one line at 100.00 and shipping at 10.00 by a member, and the allowance of the one promotion.
Calculation calculated(build::TreeBuilder& trees, TreePromotion& promotion, Allowance left) {
    promotion.usage_limits.max_uses = 1;
    const Program program = compile(trees.tree, 1);
    build::OrderBuilder orders;
    orders.line("1", 10'000).shipping(1'000);
    for (std::size_t i = 0; i < program.point_types.size(); i++) orders.balance(0);
    orders.order.allowances = {left};
    CalculationOptions options;
    options.traces_refusals = true;
    options.is_credited = [](std::string_view) { return true; };
    return calculate(program, orders.order, options);
}

// 10 % of 100.00 are 10.00, 5 % of 90.00 are 4.50, and 3.00 off the shipping: 17.50. Of a budget of 16.00 the shipping
// gets what the goods have left, 1.50.
TEST(Usage, ABudgetOfMoneyIsUsedInTheOrderOfDoing) {
    build::TreeBuilder trees;
    auto& promotion = trees.promotion(
        "p", {build::on_products({build::benefit("discount", {{"percent", "10"}})}),
              build::on_order({build::benefit("discount", {{"percent", "5"}}),
                               build::benefit("discount", {{"amount", "3"}, {"target", "shipping"}})})});
    EXPECT_EQ(calculated(trees, promotion, {.money = Money{1'750}}).total.units, 9'250);
    const Calculation cut = calculated(trees, promotion, {.money = Money{1'600}});
    EXPECT_EQ(cut.lines[0].discount.units, 1'450);
    EXPECT_EQ(cut.shipping.discount.units, 150);
    EXPECT_EQ(cut.operations.back().entry.asked.units, 300);
    EXPECT_EQ(calculated(trees, promotion, {.money = Money{}}).total.units, 11'000);
    EXPECT_EQ(calculated(trees, promotion, {.uses = Uses::used_up}).trace.promotions[0].reason, Reason::limit_reached);
}

// The same side by side: 10.00 and 5.00 of the goods are cut to 12.00 by allotment, 8.00 and 4.00.
TEST(Usage, ABudgetOfMoneyIsSharedByParallelBenefits) {
    build::TreeBuilder trees;
    auto& promotion = trees.promotion("p", {build::on_products({build::benefit("discount", {{"percent", "10"}})}),
                                            build::on_order({build::benefit("discount", {{"percent", "5"}})})});
    promotion.benefit_rule = BenefitRule::parallel;
    const Calculation cut = calculated(trees, promotion, {.money = Money{1'200}});
    ASSERT_EQ(cut.operations.size(), 2U);
    EXPECT_EQ(cut.operations[0].entry.applied.units, 800);
    EXPECT_EQ(cut.operations[1].entry.applied.units, 400);
}

// 100 points of 2 decimals, then 100 of none, and 120.5678 are left: 100.00, and 20 whole ones.
TEST(Usage, ABudgetOfPointsCountsAllTypesInWholeUnits) {
    build::TreeBuilder trees;
    trees.point_type("bonus", "1", 2);
    trees.point_type("gift", "1", 0);
    auto& promotion = trees.points_promotion(
        "p", {build::on_products({build::benefit("accrue_points", {{"point_type", "bonus"}, {"points", "100"}}),
                                  build::benefit("accrue_points", {{"point_type", "gift"}, {"points", "100"}})})});
    const Calculation cut = calculated(trees, promotion, {.points = 1'205'678});
    EXPECT_EQ(cut.points[0].accrued.units, 10'000);
    EXPECT_EQ(cut.points[1].accrued.units, 20);
    EXPECT_EQ(cut.operations[1].entry.points_cut.units, 80);
    EXPECT_EQ(calculated(trees, promotion, {.points = 0}).benefits, 0U);
}

}  // namespace
}  // namespace loyalty
