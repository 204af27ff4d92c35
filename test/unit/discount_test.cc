// The benefit `discount`: what it takes off, one promotion alone in the tree. Figures in cents.

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

Tree with_benefit(Level level, Values parameters) {
    TreeBuilder builder;
    const TreeBenefit discount = benefit("discount", parameters);
    builder.promotion("p", {level == Level::product ? on_products({discount}) : on_order({discount})});
    return builder.tree;
}

// Totals of the lines, then of the shipping.
std::vector<std::int64_t> totals(Level level, Values parameters, const OrderBuilder& order) {
    const Calculation result = calculate(with_benefit(level, parameters), order.get());
    std::vector<std::int64_t> totals;
    for (const auto& line : result.lines) totals.push_back(line.total.units);
    totals.push_back(result.shipping.total.units);
    return totals;
}

using Totals = std::vector<std::int64_t>;

// 3 × 9.99 = 29.97; 20 % = 5.994 -> 5.99; 23.98.
TEST(Discount, PercentOfTheGroupsTotalIsRoundedOnce) {
    EXPECT_EQ(totals(Level::product, {{"percent", "20"}}, OrderBuilder().line("a", 999, "3")), (Totals{2398, 0}));
}

// 10 % of 0.05 = 0.005 -> 0.01; 10 % of 0.04 = 0.004 -> 0.
TEST(Discount, RoundsHalfAwayFromZero) {
    EXPECT_EQ(totals(Level::product, {{"percent", "10"}}, OrderBuilder().line("a", 5).line("b", 4)), (Totals{4, 4, 0}));
}

TEST(Discount, SmallAndWholePercentages) {
    // 0.000001 % of 1 000 000.00 = 0.01.
    EXPECT_EQ(totals(Level::product, {{"percent", "0.000001"}}, OrderBuilder().line("a", 100'000'000)),
              (Totals{99'999'999, 0}));
    EXPECT_EQ(totals(Level::product, {{"percent", "100"}}, OrderBuilder().line("a", 333, "3")), (Totals{0, 0}));
}

// 1.00 off each of 2.5 kg at 3.00: 7.50 − 2.50 = 5.00. 5.00 off: 12.50 > 7.50, so nothing is left.
TEST(Discount, AmountIsPerUnitAndAtMostThePrice) {
    EXPECT_EQ(totals(Level::product, {{"amount", "1"}}, OrderBuilder().line("a", 300, "2.5")), (Totals{500, 0}));
    EXPECT_EQ(totals(Level::product, {{"amount", "5"}}, OrderBuilder().line("a", 300, "2.5")), (Totals{0, 0}));
    // 0.01 × 0.5 = 0.005 -> 0.01.
    EXPECT_EQ(totals(Level::product, {{"amount", "0.01"}}, OrderBuilder().line("a", 300, "0.5")), (Totals{149, 0}));
}

// a: 2 × 10.00, b: 3 × 4.00. Half off the 4 cheapest: all of b (12.00 -> 6.00) and one a (10.00 -> 5.00).
TEST(Discount, PicksTheCheapestOverAllLines) {
    const auto order = OrderBuilder().line("a", 1000, "2").line("b", 400, "3");
    EXPECT_EQ(totals(Level::product, {{"percent", "50"}, {"max_items", "4"}, {"pick", "cheapest"}}, order),
              (Totals{1500, 600, 0}));
    // The 4 most expensive: both a (20.00 -> 10.00), two b (8.00 -> 4.00).
    EXPECT_EQ(totals(Level::product, {{"percent", "50"}, {"max_items", "4"}, {"pick", "most_expensive"}}, order),
              (Totals{1000, 800, 0}));
}

// Equal prices: the earlier line, in either direction.
TEST(Discount, PickTiesGoToTheEarlierLine) {
    const auto order = OrderBuilder().line("b", 500).line("a", 500).line("c", 500);
    EXPECT_EQ(totals(Level::product, {{"percent", "10"}, {"max_items", "2"}, {"pick", "cheapest"}}, order),
              (Totals{450, 450, 500, 0}));
    EXPECT_EQ(totals(Level::product, {{"percent", "10"}, {"max_items", "2"}, {"pick", "most_expensive"}}, order),
              (Totals{450, 450, 500, 0}));
}

// line_order, the default, is the position in the document: b stands first there.
TEST(Discount, PickByLineOrderLooksAtThePosition) {
    const auto order = OrderBuilder().line("b", 500).line("c", 500).line("a", 500);
    EXPECT_EQ(totals(Level::product, {{"percent", "10"}, {"max_items", "1"}}, order), (Totals{500, 450, 500, 0}));
    EXPECT_EQ(totals(Level::product, {{"percent", "10"}, {"max_items", "2"}, {"pick", "line_order"}}, order),
              (Totals{500, 450, 450, 0}));
}

// 1.5 kg at 10.00 are two items. With one item: the first kilogram, worth 15.00 × 1/1.5 = 10.00, gets 5.00 off.
TEST(Discount, LastFractionCountsAsAnItem) {
    const auto order = OrderBuilder().line("a", 1000, "1.5").line("b", 100);
    EXPECT_EQ(totals(Level::product, {{"percent", "50"}, {"max_items", "2"}}, order), (Totals{750, 100, 0}));
    EXPECT_EQ(totals(Level::product, {{"percent", "50"}, {"max_items", "1"}}, order), (Totals{1000, 100, 0}));
    EXPECT_EQ(totals(Level::product, {{"percent", "50"}, {"max_items", "3"}}, order), (Totals{750, 50, 0}));
}

// 3.03 kg for 1.00: the first two are worth 100 × 2/3.03 = 66.007 -> 0.66.
TEST(Discount, SplitsATotalByLargestRemainder) {
    const auto order = OrderBuilder().line("a", 33, "3.03");  // 0.9999
    EXPECT_EQ(totals(Level::product, {{"percent", "100"}, {"max_items", "2"}}, order), (Totals{34, 0}));
}

TEST(Discount, PickSkipsWhatCostsNothing) {
    const auto order = OrderBuilder().line("a", 0, "5").line("b", 100).line("c", 200);
    EXPECT_EQ(totals(Level::product, {{"percent", "50"}, {"max_items", "1"}, {"pick", "cheapest"}}, order),
              (Totals{0, 50, 200, 0}));
}

// 10 % of 100.01 = 10.001 -> 10.00, over 33.34, 33.34, 33.33: 3.3337, 3.3337, 3.3327 -> 3.34 (the earlier of equals),
// 3.33, 3.33.
TEST(Discount, OrderPercentIsAllotted) {
    EXPECT_EQ(totals(Level::order, {{"percent", "10"}},
                     OrderBuilder().line("a", 3334).line("b", 3334).line("c", 3333).shipping(500)),
              (Totals{3000, 3001, 3000, 500}));
}

// The Broadleaf case: 2.00 off three equal lines is 0.67, 0.67, 0.66; and off one line of three units just 2.00.
TEST(Discount, TwoOverThree) {
    EXPECT_EQ(totals(Level::order, {{"amount", "2"}}, OrderBuilder().line("a", 1000).line("b", 1000).line("c", 1000)),
              (Totals{933, 933, 934, 0}));
    EXPECT_EQ(totals(Level::order, {{"amount", "2"}}, OrderBuilder().line("a", 1000, "3")), (Totals{2800, 0}));
}

TEST(Discount, OrderAmountIsAtMostTheGoods) {
    EXPECT_EQ(totals(Level::order, {{"amount", "100"}}, OrderBuilder().line("a", 1000).line("b", 0).shipping(700)),
              (Totals{0, 0, 700}));
    EXPECT_EQ(totals(Level::order, {{"amount", "100"}}, OrderBuilder().line("a", 0).line("b", 0).shipping(700)),
              (Totals{0, 0, 700}));
}

TEST(Discount, TargetShipping) {
    const auto order = OrderBuilder().line("a", 1000).shipping(499);
    EXPECT_EQ(totals(Level::order, {{"percent", "50"}, {"target", "shipping"}}, order),
              (Totals{1000, 249}));  // 2.495 -> 2.50
    EXPECT_EQ(totals(Level::order, {{"amount", "10"}, {"target", "shipping"}}, order), (Totals{1000, 0}));
}

// Goods and shipping are one base, rounded once, the shipping last in the allotment.
TEST(Discount, TargetOrder) {
    EXPECT_EQ(
        totals(Level::order, {{"percent", "50"}, {"target", "order"}}, OrderBuilder().line("a", 1000).shipping(500)),
        (Totals{500, 250}));
    // 50 % of 0.02 = 0.01, a tie: to the goods. Each alone would have been rounded up to 0.01.
    EXPECT_EQ(totals(Level::order, {{"percent", "50"}, {"target", "order"}}, OrderBuilder().line("a", 1).shipping(1)),
              (Totals{0, 1}));
    EXPECT_EQ(
        totals(Level::order, {{"amount", "12"}, {"target", "order"}}, OrderBuilder().line("a", 1000).shipping(500)),
        (Totals{200, 100}));
    EXPECT_EQ(totals(Level::order, {{"amount", "12"}, {"target", "order"}}, OrderBuilder().line("a", 0).shipping(500)),
              (Totals{0, 0}));
}

// 30 % of the two cheapest items, a (2.00) and one b (5.00): 2.10, over 2.00 and 5.00: 0.60 and 1.50.
TEST(Discount, OrderLevelOnTheItemsPicked) {
    EXPECT_EQ(totals(Level::order, {{"percent", "30"}, {"max_items", "2"}, {"pick", "cheapest"}},
                     OrderBuilder().line("a", 200).line("b", 500, "2")),
              (Totals{140, 850, 0}));
}

TEST(Discount, AllottedTellsWhatCameFromTheOrder) {
    const Calculation result =
        calculate(with_benefit(Level::order, {{"percent", "10"}}), OrderBuilder().line("a", 1000).get());
    EXPECT_EQ(result.lines[0].allotted.units, 100);
    EXPECT_EQ(result.lines[0].discount.units, 100);
    EXPECT_EQ(result.benefits, 1u);
    const Calculation product =
        calculate(with_benefit(Level::product, {{"percent", "10"}}), OrderBuilder().line("a", 1000).get());
    EXPECT_EQ(product.lines[0].allotted.units, 0);
}

TEST(Discount, RefusesWrongParameters) {
    const auto refused = [](Level level, Values parameters) {
        return error_of([&] { compile(with_benefit(level, parameters), 1); }).sqlstate();
    };
    EXPECT_EQ(refused(Level::product, {{"percent", "0.000001"}}), "");
    EXPECT_EQ(refused(Level::product, {{"percent", "100"}}), "");
    EXPECT_EQ(refused(Level::product, {}), "LY301");
    EXPECT_EQ(refused(Level::product, {{"percent", "5"}, {"amount", "5"}}), "LY301");
    for (const char* percent : {"0", "-5", "100.000001", "0.0000001", "1e400", "five"})
        EXPECT_EQ(refused(Level::product, {{"percent", percent}}), "LY301") << percent;
    for (const char* amount : {"0", "-1", "0.001", "1e30"})
        EXPECT_EQ(refused(Level::product, {{"amount", amount}}), "LY301") << amount;
    for (const char* items : {"0", "-1", "1.5", "1000000001", "all"})
        EXPECT_EQ(refused(Level::product, {{"percent", "5"}, {"max_items", items}}), "LY301") << items;
    EXPECT_EQ(refused(Level::product, {{"percent", "5"}, {"pick", "cheapest"}}), "LY301");
    EXPECT_EQ(refused(Level::product, {{"percent", "5"}, {"max_items", "1"}, {"pick", "random"}}), "LY301");
    EXPECT_EQ(refused(Level::product, {{"percent", "5"}, {"target", "goods"}}), "LY301");
    EXPECT_EQ(refused(Level::order, {{"percent", "5"}, {"target", "lines"}}), "LY301");
    EXPECT_EQ(refused(Level::order, {{"percent", "5"}, {"target", "shipping"}, {"max_items", "1"}}), "LY301");
    EXPECT_EQ(refused(Level::order, {{"percent", "5"}, {"Target", "goods"}}), "LY301");
}

// The currency's own scale: 10 % of ¥105 = 10.5 -> 11; an amount of ¥0.5 does not exist.
TEST(Discount, KeepsTheCurrencysScale) {
    TreeBuilder yen(Arbitration::consistent, 0);
    yen.promotion("p", {on_products({benefit("discount", {{"percent", "10"}})})});
    EXPECT_EQ(calculate(yen.tree, OrderBuilder().line("a", 105).get()).total.units, 94);
    yen.promotion("q", {on_products({benefit("discount", {{"amount", "0.5"}})})});
    EXPECT_EQ(error_of([&] { compile(yen.tree, 1); }).sqlstate(), "LY301");
}

TEST(Discount, OverflowIsAnError) {
    const std::int64_t huge = 1'000'000'000'000'000'000;
    OrderBuilder order;
    for (const char* id : {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}) order.line(id, huge);
    const Error error = error_of([&] { calculate(with_benefit(Level::order, {{"percent", "10"}}), order.get()); });
    EXPECT_EQ(error.sqlstate(), "LY401");
    // One of them is calculated exactly.
    EXPECT_EQ(totals(Level::order, {{"percent", "10"}}, OrderBuilder().line("a", huge)), (Totals{huge / 10 * 9, 0}));
    EXPECT_EQ(
        totals(Level::product, {{"percent", "12.345678"}, {"max_items", "1"}}, OrderBuilder().line("a", huge / 2, "2")),
        (Totals{huge / 2 + 438'271'610'000'000'000, 0}));
}

}  // namespace
}  // namespace loyalty
