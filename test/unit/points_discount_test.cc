// The benefit `points_discount`: what points may pay and how many of them it takes.

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

// A program whose only point type is worth 1/ratio of money.
Tree with_benefit(Level level, const std::string& ratio, int scale, Values parameters) {
    TreeBuilder builder;
    builder.point_type("bonus", ratio, scale);
    TreeBenefit pays = benefit("points_discount", parameters);
    pays.parameters.add("point_type", Parameters::Type::text, "bonus");
    builder.points_promotion("p", {level == Level::product ? on_products({pays}) : on_order({pays})});
    return builder.tree;
}

struct Paid {
    std::int64_t total;
    std::int64_t spent;

    friend bool operator==(const Paid&, const Paid&) = default;
    friend std::ostream& operator<<(std::ostream& out, const Paid& paid) {
        return out << "total " << paid.total << ", spent " << paid.spent;
    }
};

Paid paid(const Tree& tree, const Order& order) {
    const Calculation result = calculate(tree, order);
    return {result.total.units, result.points[0].spent.units};
}

Reason reason(const Tree& tree, const Order& order) { return calculate(tree, order).trace.promotions[0].reason; }

// 15 % of 100.00 = 15.00; at 10 points for 1.00 that is 150.
TEST(PointsDiscount, PercentOfThePrice) {
    const Tree tree = with_benefit(Level::product, "10", 0, {{"percent", "15"}});
    EXPECT_EQ(paid(tree, OrderBuilder().line("a", 10000).balance(1000).redeem(0).get()), (Paid{8500, 150}));
}

// 125 points are worth 12.50: less than the 50.00 that half of the price would be.
TEST(PointsDiscount, BalanceAndRequestAreTheBudget) {
    const Tree tree = with_benefit(Level::product, "10", 0, {{"percent", "50"}});
    EXPECT_EQ(paid(tree, OrderBuilder().line("a", 10000).balance(125).redeem(0).get()), (Paid{8750, 125}));
    EXPECT_EQ(paid(tree, OrderBuilder().line("a", 10000).balance(125).redeem(0, 30).get()), (Paid{9700, 30}));
    EXPECT_EQ(paid(tree, OrderBuilder().line("a", 10000).balance(125).redeem(0, 900).get()), (Paid{8750, 125}));
    EXPECT_EQ(paid(tree, OrderBuilder().line("a", 10000).balance(125).redeem(0, 0).get()), (Paid{10000, 0}));
}

// 10 points at 3 for 1.00: the budget is floor(3.333) = 3.33, for which ceil(9.99) = 10 points are taken.
TEST(PointsDiscount, MoneyIsRoundedDownAndPointsUp) {
    const Tree tree = with_benefit(Level::product, "3", 0, {{"percent", "100"}});
    EXPECT_EQ(paid(tree, OrderBuilder().line("a", 10000).balance(10).redeem(0).get()), (Paid{9667, 10}));
    // 0.01 costs ceil(0.03) = 1 point; never more than there are.
    EXPECT_EQ(paid(tree, OrderBuilder().line("a", 1).balance(10).redeem(0).get()), (Paid{0, 1}));
    // Points worth more than money: at 0.5 for 1.00, 0.01 of points is 0.02 of money.
    const Tree dear = with_benefit(Level::product, "0.5", 2, {{"percent", "100"}});
    EXPECT_EQ(paid(dear, OrderBuilder().line("a", 10000).balance(1).redeem(0).get()), (Paid{9998, 1}));
    EXPECT_EQ(paid(dear, OrderBuilder().line("a", 1).balance(1).redeem(0).get()), (Paid{0, 1}));
}

// Rounded up once for the whole order: 0.50 + 0.50 + 0.50 at 3 for 1.00 = 4.5 -> 5 points, in steps 2, 1, 2 (1.5 -> 2,
// 3, 4.5 -> 5).
TEST(PointsDiscount, OperationsShowTheirIncrements) {
    const Tree tree = with_benefit(Level::product, "3", 0, {{"percent", "50"}});
    const Calculation result =
        calculate(tree, OrderBuilder().line("a", 100).line("b", 100).line("c", 100).balance(100).redeem(0).get());
    ASSERT_EQ(result.operations.size(), 3u);
    EXPECT_EQ(result.operations[0].spent.units, 2);
    EXPECT_EQ(result.operations[1].spent.units, 1);
    EXPECT_EQ(result.operations[2].spent.units, 2);
    EXPECT_EQ(result.points[0].spent.units, 5);
    EXPECT_EQ(result.lines[0].points_discount.units, 50);
    EXPECT_EQ(result.lines[0].discount.units, 0);
}

// 1.50 off each of 2.5 kg at 10.00: 3.75. 15 points for each unit at 10 for 1.00 is the same.
TEST(PointsDiscount, AmountAndPointsPerUnit) {
    const Order order = OrderBuilder().line("a", 1000, "2.5").balance(1000).redeem(0).get();
    EXPECT_EQ(paid(with_benefit(Level::product, "10", 0, {{"amount", "1.50"}}), order),
              (Paid{2125, 38}));  // 37.5 -> 38 points
    EXPECT_EQ(paid(with_benefit(Level::product, "10", 0, {{"points", "15"}}), order), (Paid{2125, 38}));
    // 100 points for each unit are worth 10.00 × 2.5, all of it; 101 would be more than the price.
    EXPECT_EQ(paid(with_benefit(Level::product, "10", 0, {{"points", "101"}}), order), (Paid{0, 250}));
    // 1 point at 3 for 1.00, 2.5 kg: 2.5 / 3 = 0.8333 -> 0.83, not 0.33 × 2.5.
    EXPECT_EQ(paid(with_benefit(Level::product, "3", 0, {{"points", "1"}}), order), (Paid{2417, 3}));
}

TEST(PointsDiscount, PaysForTheItemsPicked) {
    const Tree tree =
        with_benefit(Level::product, "1", 2, {{"percent", "100"}, {"max_items", "2"}, {"pick", "most_expensive"}});
    EXPECT_EQ(paid(tree, OrderBuilder().line("a", 100, "2").line("b", 300).balance(100000).redeem(0).get()),
              (Paid{100, 400}));
}

// 20 % of 30.00 = 6.00, over 10.00 and 20.00; shipping is never paid with points.
TEST(PointsDiscount, OrderLevelIsAllottedOverTheGoods) {
    const Tree tree = with_benefit(Level::order, "1", 2, {{"percent", "20"}});
    const Calculation result =
        calculate(tree, OrderBuilder().line("a", 1000).line("b", 2000).shipping(500).balance(100000).redeem(0).get());
    EXPECT_EQ(result.lines[0].total.units, 800);
    EXPECT_EQ(result.lines[1].total.units, 1600);
    EXPECT_EQ(result.shipping.total.units, 500);
    EXPECT_EQ(result.lines[0].allotted.units, 200);
}

// 500 points at 10 for 1.00 = 50.00, of goods for 30.00: 30.00.
TEST(PointsDiscount, OrderLevelNumberOfPoints) {
    const Tree tree = with_benefit(Level::order, "10", 0, {{"points", "500"}});
    EXPECT_EQ(paid(tree, OrderBuilder().line("a", 3000).balance(1000).redeem(0).get()), (Paid{0, 300}));
    EXPECT_EQ(paid(tree, OrderBuilder().line("a", 30000).balance(1000).redeem(0).get()), (Paid{25000, 500}));
    // A budget of 10.00 that bites is allotted: 10.00 over 10.00 and 20.00 = 3.33 and 6.67.
    const Calculation cut =
        calculate(tree, OrderBuilder().line("a", 1000).line("b", 2000).balance(100).redeem(0).get());
    EXPECT_EQ(cut.lines[0].total.units, 667);
    EXPECT_EQ(cut.lines[1].total.units, 1333);
}

TEST(PointsDiscount, NobodysPointsAreSpentUnasked) {
    const Tree tree = with_benefit(Level::product, "1", 2, {{"percent", "50"}});
    const auto member = [] { return OrderBuilder().line("a", 1000).balance(100000); };
    EXPECT_EQ(paid(tree, member().get()), (Paid{1000, 0}));
    EXPECT_EQ(reason(tree, member().get()), Reason::points_not_requested);
    EXPECT_EQ(reason(tree, member().redeem(0, 0).get()), Reason::no_points_left);
    Order guest = member().redeem(0).get();
    guest.buyer.kind = BuyerKind::guest;
    EXPECT_EQ(paid(tree, guest), (Paid{1000, 0}));
    EXPECT_EQ(reason(tree, guest), Reason::not_a_member);
    const Order inactive = OrderBuilder().line("a", 1000).balance(100000, false).redeem(0).get();
    EXPECT_EQ(paid(tree, inactive), (Paid{1000, 0}));
    EXPECT_EQ(reason(tree, inactive), Reason::point_type_inactive);
}

// Two benefits share one budget of 10.00: the first takes 6.00, the second asks 5.00 and gets 4.00, shown as cut.
TEST(PointsDiscount, TheBudgetIsOneForTheOrder) {
    TreeBuilder builder;
    builder.point_type("bonus", "1");
    builder.points_promotion("p",
                             {on_products({benefit("points_discount", {{"point_type", "bonus"}, {"amount", "6"}})})});
    builder.points_promotion("q",
                             {on_products({benefit("points_discount", {{"point_type", "bonus"}, {"amount", "5"}})})});
    builder.points_promotion("r",
                             {on_products({benefit("points_discount", {{"point_type", "bonus"}, {"amount", "5"}})})});
    const Calculation result = calculate(builder.tree, OrderBuilder().line("a", 10000).balance(1000).redeem(0).get());
    EXPECT_EQ(result.total.units, 9000);
    ASSERT_EQ(result.operations.size(), 2u);
    EXPECT_EQ(result.operations[1].entry.asked.units, 500);
    EXPECT_EQ(result.operations[1].entry.applied.units, 400);
    EXPECT_EQ(result.trace.promotions[2].reason, Reason::no_points_left);
}

TEST(PointsDiscount, RefusesWrongParameters) {
    const auto refused = [](Level level, Values parameters) {
        return error_of([&] { compile(with_benefit(level, "1", 2, parameters), 1); }).sqlstate();
    };
    EXPECT_EQ(refused(Level::product, {}), "LY301");
    EXPECT_EQ(refused(Level::product, {{"percent", "5"}, {"points", "5"}}), "LY301");
    EXPECT_EQ(refused(Level::product, {{"points", "0.001"}}), "LY301");
    EXPECT_EQ(refused(Level::product, {{"percent", "101"}}), "LY301");
    EXPECT_EQ(refused(Level::order, {{"amount", "5"}}), "LY301");
    EXPECT_EQ(refused(Level::order, {{"percent", "5"}, {"max_items", "5"}}), "LY301");
    EXPECT_EQ(refused(Level::order, {{"percent", "5"}, {"target", "order"}}), "LY301");
    TreeBuilder no_type;
    no_type.points_promotion("p", {on_products({benefit("points_discount", {{"percent", "5"}})})});
    EXPECT_EQ(error_of([&] { compile(no_type.tree, 1); }).sqlstate(), "LY301");
}

}  // namespace
}  // namespace loyalty
