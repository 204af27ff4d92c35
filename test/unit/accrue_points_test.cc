// The benefit `accrue_points`: how many points, on what, when.

#include "unit/build.hpp"

#include <gtest/gtest.h>

namespace loyalty {
namespace {

using build::benefit;
using build::calculate;
using build::error_of;
using build::on_order;
using build::on_products;
using build::OrderBuilder;
using build::TreeBuilder;
using Values = std::initializer_list<std::pair<std::string, std::string>>;

TreeBenefit accrual(Values parameters) {
    TreeBenefit result = benefit("accrue_points", parameters);
    result.parameters.add("point_type", Parameters::Type::text, "bonus");
    return result;
}

Tree with_benefit(Level level, const std::string& ratio, int scale, Values parameters) {
    TreeBuilder builder;
    builder.point_type("bonus", ratio, scale);
    builder.points_promotion(
        "p", {level == Level::product ? on_products({accrual(parameters)}) : on_order({accrual(parameters)})});
    return builder.tree;
}

// Points per line in line order; under no line, those of the order itself.
std::vector<std::int64_t> accrued(const Tree& tree, const Order& order) {
    std::vector<std::int64_t> points(order.lines.size() + 1, 0);
    for (const auto& operation : calculate(tree, order).operations) {
        if (operation.entry.kind != Entry::Kind::accrual) continue;
        points[operation.entry.target == Entry::Target::line ? operation.entry.line : order.lines.size()] +=
            operation.entry.points.units;
    }
    return points;
}

using Points = std::vector<std::int64_t>;

// 10 % of 99.99 = 9.999 of money = 99.99 points at 10 for 1.00 -> 100.
TEST(AccruePoints, PercentGoesThroughTheRatio) {
    EXPECT_EQ(accrued(with_benefit(Level::product, "10", 0, {{"percent", "10"}}),
                      OrderBuilder().line("a", 9999).balance(0).get()),
              (Points{100, 0}));
    // 0.07 points for 1.00: 7 points for 1000.00 at 10 %.
    EXPECT_EQ(accrued(with_benefit(Level::product, "0.07", 2, {{"percent", "10"}}),
                      OrderBuilder().line("a", 100000).balance(0).get()),
              (Points{700, 0}));
    // More than the price: 100000 % of 1.00.
    EXPECT_EQ(accrued(with_benefit(Level::product, "1", 2, {{"percent", "100000"}}),
                      OrderBuilder().line("a", 100).balance(0).get()),
              (Points{100000, 0}));
}

// 10 % of 0.04 would be 0.004 -> 0 on each line; of 0.08 it is 0.008 -> 0.01, a tie, to the first line.
TEST(AccruePoints, IsRoundedOnceForAllLines) {
    const Order order = OrderBuilder().line("a", 4).line("b", 4).balance(0).get();
    EXPECT_EQ(accrued(with_benefit(Level::product, "1", 2, {{"percent", "10"}}), order), (Points{1, 0, 0}));
    EXPECT_EQ(accrued(with_benefit(Level::order, "1", 2, {{"percent", "10"}}), order), (Points{1, 0, 0}));
}

// A line whose units have been split is still rounded once: 1.00 off 1 of 2 units at 5.05 leaves 4.05 + 5.05; 50 % of
// 9.10 = 4.55, where 2.03 + 2.53 would be 4.56.
TEST(AccruePoints, SplitLinesAreRoundedOnce) {
    TreeBuilder builder;
    builder.point_type("bonus", "1");
    builder.promotion("first", {on_products({benefit("discount", {{"amount", "1"}, {"max_items", "1"}})})});
    builder.points_promotion("p", {on_products({accrual({{"percent", "50"}})})});
    EXPECT_EQ(accrued(builder.tree, OrderBuilder().line("a", 505, "2").balance(0).get()), (Points{455, 0}));
}

// 3 points for each unit: 2.5 kg -> 7.5 -> 8. On the order: 3, over 10.00 and 20.00: 1 and 2; shipping counts for
// nothing.
TEST(AccruePoints, FixedNumber) {
    const Order order = OrderBuilder().line("a", 400, "2.5").line("b", 2000).shipping(500).balance(0).get();
    EXPECT_EQ(accrued(with_benefit(Level::product, "1", 0, {{"points", "3"}}), order), (Points{8, 3, 0}));
    EXPECT_EQ(accrued(with_benefit(Level::order, "1", 0, {{"points", "3"}}), order), (Points{1, 2, 0}));
    EXPECT_EQ(accrued(with_benefit(Level::order, "1", 0, {{"percent", "10"}}), order), (Points{1, 2, 0}));
}

// Where everything is free, fixed points of the order belong to no line.
TEST(AccruePoints, OnFreeGoods) {
    const Order order = OrderBuilder().line("a", 0).line("b", 0, "2").balance(0).get();
    EXPECT_EQ(accrued(with_benefit(Level::order, "1", 0, {{"points", "3"}}), order), (Points{0, 0, 3}));
    EXPECT_EQ(accrued(with_benefit(Level::order, "1", 0, {{"percent", "50"}}), order), (Points{0, 0, 0}));
    EXPECT_EQ(accrued(with_benefit(Level::product, "1", 0, {{"points", "3"}}), order), (Points{3, 6, 0}));
}

// After a discount of 20 % in `consistent` on what is paid, 80.00; under `summation` on the price, 100.00.
TEST(AccruePoints, WorksOnTheStateItIsEvaluatedOn) {
    for (const auto& [arbitration, expected] :
         {std::pair{Arbitration::consistent, 800}, std::pair{Arbitration::summation, 1000}}) {
        TreeBuilder builder(arbitration);
        builder.point_type("bonus", "1");
        builder.promotion("first", {on_products({benefit("discount", {{"percent", "20"}})})});
        builder.points_promotion("p", {on_products({accrual({{"percent", "10"}})})});
        EXPECT_EQ(accrued(builder.tree, OrderBuilder().line("a", 10000).balance(0).get()), (Points{expected, 0}));
    }
}

TEST(AccruePoints, OnlyMembersEarn) {
    const Tree tree = with_benefit(Level::product, "1", 2, {{"percent", "10"}});
    Order order = OrderBuilder().line("a", 1000).balance(0).get();
    EXPECT_EQ(accrued(tree, order), (Points{100, 0}));
    order.buyer.kind = BuyerKind::guest;
    EXPECT_EQ(accrued(tree, order), (Points{0, 0}));
    EXPECT_EQ(calculate(tree, order).trace.promotions[0].reason, Reason::not_a_member);
    const Order inactive = OrderBuilder().line("a", 1000).balance(0, false).get();
    EXPECT_EQ(accrued(tree, inactive), (Points{0, 0}));
    EXPECT_EQ(calculate(tree, inactive).trace.promotions[0].reason, Reason::point_type_inactive);
}

TEST(AccruePoints, WaitsForAStatusOrIsDelayed) {
    const Order order = OrderBuilder().line("a", 1000).balance(0).get();
    const auto result = [&](Values parameters) {
        return calculate(with_benefit(Level::product, "1", 2, parameters), order);
    };
    EXPECT_EQ(result({{"percent", "10"}}).points[0].accrued.units, 100);
    EXPECT_EQ(result({{"percent", "10"}}).points[0].pending.units, 0);
    const Calculation pending = result({{"percent", "10"}, {"credit_on", "delivered"}});
    EXPECT_EQ(pending.points[0].accrued.units, 0);
    EXPECT_EQ(pending.points[0].pending.units, 100);
    EXPECT_TRUE(pending.operations[0].pending);
    const Calculation delayed = result({{"percent", "10"}, {"delay", "14 days"}});
    EXPECT_EQ(delayed.points[0].accrued.units, 100);
    EXPECT_EQ(delayed.points[0].delayed.units, 100);
    EXPECT_EQ(pending.points[0].delayed.units, 0);
}

TEST(AccruePoints, RefusesWrongParameters) {
    const auto refused = [](Values parameters) {
        return error_of([&] { compile(with_benefit(Level::product, "1", 0, parameters), 1); }).sqlstate();
    };
    EXPECT_EQ(refused({}), "LY301");
    EXPECT_EQ(refused({{"percent", "5"}, {"points", "5"}}), "LY301");
    EXPECT_EQ(refused({{"percent", "100000.1"}}), "LY301");
    EXPECT_EQ(refused({{"points", "0.5"}}), "LY301");
    EXPECT_EQ(refused({{"points", "5"}, {"credit_on", "5"}}), "LY301");
    EXPECT_EQ(refused({{"points", "5"}, {"max_items", "5"}}), "LY301");
}

}  // namespace
}  // namespace loyalty
