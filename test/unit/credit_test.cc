// What a quote foresees of a balance: credits pay a debt first, then what is owed, as the ledger books them.
#include "core/calculate/calculate.hpp"
#include "core/program/tree.hpp"

#include "unit/build.hpp"

#include <gtest/gtest.h>

namespace loyalty {
namespace {

using build::benefit;

// 5.00 points after a delay and 4.00 at once, for a member with this balance.
Balance after(const Balance& before) {
    build::TreeBuilder trees;
    trees.point_type("bonus", "1", 2);
    trees.points_promotion(
        "p",
        {build::on_products({benefit("accrue_points", {{"point_type", "bonus"}, {"points", "5"}, {"delay", "14 days"}}),
                             benefit("accrue_points", {{"point_type", "bonus"}, {"points", "4"}})})});
    const Program program = compile(trees.tree, 1);
    build::OrderBuilder orders;
    orders.line("1", 10'000).balance(0);
    orders.order.buyer.balances[0] = before;
    CalculationOptions options;
    options.is_credited = [](std::string_view) { return true; };
    return calculate(program, orders.order, options).points[0].after(before);
}

TEST(Credits, AreActiveAfterTheirDelay) {
    const Balance balance = after({Points{1'000}, Points{700}, true});
    EXPECT_EQ(balance.total.units, 1'900);
    EXPECT_EQ(balance.active.units, 1'100);
}

// Of 5.00 a debt of 3.00 takes its part, and what is owed (3.50) the other 2.00; of 4.00 it takes 1.50.
TEST(Credits, PayADebtFirstThenWhatIsOwed) {
    const Balance balance = after({Points{-300}, Points{}, true, Points{300}, Points{350}});
    EXPECT_EQ(balance.total.units, 250);
    EXPECT_EQ(balance.active.units, 250);
}

TEST(Credits, LeaveWhatIsOwedBeyondThem) {
    const Balance balance = after({Points{}, Points{}, true, Points{}, Points{10'000}});
    EXPECT_EQ(balance.total.units, 0);
    EXPECT_EQ(balance.active.units, 0);
}

}  // namespace
}  // namespace loyalty
