// Searches that could take for ever: they end, say so, and can be interrupted on the way.

#include "unit/build.hpp"
#include "unit/oracle.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace loyalty {
namespace {

using build::benefit;
using build::calculate;
using build::decimal;
using build::on_products;
using build::OrderBuilder;
using build::TreeBuilder;

// Promotions that pick units, so that nearly every combination differs a little and no bound is tight.
Tree hostile(int promotions, Arbitration main = Arbitration::max_benefit) {
    TreeBuilder builder(main);
    builder.point_type("bonus", "3");
    builder.main().max_discount_percent = decimal("60");
    builder.group("g", Arbitration::max_benefit);
    for (int i = 0; i < promotions; ++i) {
        const std::string id = std::to_string(100 + i);
        const std::string share = std::to_string(3 + i * 7 % 20) + "." + std::to_string(1 + i % 9);
        builder.promotion("d" + id,
                          {on_products({benefit("discount", {{"percent", share},
                                                             {"max_items", std::to_string(1 + i % 5)},
                                                             {"pick", i % 2 ? "cheapest" : "most_expensive"}})})},
                          "g");
        builder.points_promotion(
            "p" + id, {on_products({benefit("accrue_points", {{"point_type", "bonus"}, {"percent", share}})})}, "g");
    }
    return builder.tree;
}

Order some_order() {
    OrderBuilder order;
    for (int i = 0; i < 8; ++i) order.line(std::to_string(i), 997 + 131 * i, std::to_string(1 + i % 3));
    return order.balance(0).get();
}

// A calculation whose searches end early, to save time.
Calculation calculate_within(std::int64_t steps, const Tree& tree) {
    CalculationOptions options;
    options.is_credited = [](std::string_view) { return true; };
    options.search_steps = steps;
    return loyalty::calculate(compile(tree, 1), some_order(), options);
}

// The calls back count the work: one for every 10,000 steps, and the search ends at 2,000,000.
TEST(WorkLimit, AHostileTreeEnds) {
    int calls = 0;
    CalculationOptions options;
    options.is_credited = [](std::string_view) { return true; };
    options.check_interrupts = [&] { ++calls; };
    const Calculation result = calculate(compile(hostile(60), 1), some_order(), options);
    EXPECT_FALSE(result.optimal);
    EXPECT_GT(calls, 100);
    EXPECT_LT(calls, 300);
    // What was found is valid, and better than nothing.
    EXPECT_LT(result.total.units, result.goods.base.units);
    EXPECT_GE(result.total.units * 10, result.goods.base.units * 4 - 10);
    EXPECT_EQ(result.total.units, (result.goods.base - result.goods.discount).units);
}

TEST(WorkLimit, TheResultIsTheSameEveryTime) {
    const Calculation once = calculate_within(50'000, hostile(30)), twice = calculate_within(50'000, hostile(30));
    EXPECT_FALSE(once.optimal);
    EXPECT_EQ(once.total, twice.total);
    EXPECT_EQ(once.operations.size(), twice.operations.size());
    EXPECT_EQ(once.unproven.back().bound, twice.unproven.back().bound);
}

// What comes after a search that ran out of steps has its own share of them.
TEST(WorkLimit, AHardGroupSpoilsNoOther) {
    TreeBuilder builder;
    builder.tree = hostile(30, Arbitration::consistent);
    builder.group("later", Arbitration::max_benefit);
    builder.promotion("z", {on_products({benefit("discount", {{"percent", "10"}})})}, "later").position = 1'000'000;
    builder.tree.groups.back().position = 1'000'000;
    builder.main().max_discount_percent.reset();
    const Calculation result = calculate_within(50'000, builder.tree);
    EXPECT_FALSE(result.optimal);
    EXPECT_EQ(result.trace.promotions[builder.tree.promotions.size() - 1].reason, Reason::none);
    ASSERT_EQ(result.unproven.size(), 1U);
    EXPECT_EQ(result.unproven.front().group, 1U);
}

// Ten children are few enough to be searched to the end, whatever it takes.
TEST(WorkLimit, FewChildrenAreSearchedInFull) {
    EXPECT_TRUE(calculate_within(0, hostile(5, Arbitration::consistent)).optimal);
    EXPECT_FALSE(calculate_within(0, hostile(6, Arbitration::consistent)).optimal);
}

TEST(WorkLimit, CallsBackRegularly) {
    const Program program = compile(hostile(30), 1);
    int calls = 0;
    CalculationOptions options;
    options.is_credited = [](std::string_view) { return true; };
    options.check_interrupts = [&] { ++calls; };
    options.search_steps = 200'000;
    loyalty::calculate(program, some_order(), options);
    EXPECT_GT(calls, 15);
    // An exception from there ends the calculation.
    options.check_interrupts = [&] {
        if (--calls == 5) throw std::runtime_error("canceled");
    };
    EXPECT_THROW(loyalty::calculate(program, some_order(), options), std::runtime_error);
}

// Nothing that a search has not looked at is worth more than the bound that it tells.
TEST(WorkLimit, TellsABound) {
    const Calculation result = calculate_within(50'000, hostile(60));
    ASSERT_EQ(result.unproven.size(), 2U);  // main, and in it g
    for (const Unproven& search : result.unproven) {
        ASSERT_TRUE(search.bound);
        EXPECT_LT(search.worth, *search.bound);
        // Within a percent of what was found.
        EXPECT_LT((search.bound->units - search.worth.units) * 100, search.worth.units);
    }
}

TEST(WorkLimit, NoSearchOfMoreThan200Children) {
    TreeBuilder builder(Arbitration::max_benefit);
    for (int i = 0; i < 201; ++i)
        builder.promotion(std::to_string(1000 + i), {on_products({benefit("discount", {{"percent", "1"}})})});
    const Order order = OrderBuilder().line("1", 10'000).get();
    const Calculation all = calculate(builder.tree, order);
    EXPECT_FALSE(all.optimal);
    EXPECT_EQ(all.benefits, 201U);
    ASSERT_EQ(all.unproven.size(), 1U);
    EXPECT_EQ(all.unproven[0].worth, all.goods.discount);
    EXPECT_EQ(all.unproven[0].bound, Money{10'000});
    builder.tree.promotions.pop_back();
    const Calculation searched = calculate(builder.tree, order);
    EXPECT_TRUE(searched.optimal);
    EXPECT_EQ(searched.total, Money{});
    EXPECT_EQ(searched.benefits, 100U);  // 100 times 1 % in a sum
}

// Bounded memory: its tables have a place for each child and line.
TEST(WorkLimit, NoSearchOfTooManyLines) {
    TreeBuilder builder(Arbitration::max_benefit);
    for (int i = 0; i < 50; ++i)
        builder.promotion(std::to_string(1000 + i), {on_products({benefit("discount", {{"percent", "1"}})})});
    OrderBuilder order;
    for (int i = 0; i < 5'001; ++i) order.line(std::to_string(10'000 + i), 100);
    const Calculation result = calculate(builder.tree, order.get());
    EXPECT_FALSE(result.optimal);
    ASSERT_EQ(result.unproven.size(), 1U);
    EXPECT_FALSE(result.unproven[0].bound);
}

// 40 promotions that only lower prices: 2^40 combinations, and the optimum is proven at once.
TEST(WorkLimit, PlainDiscountsAreNoSearch) {
    TreeBuilder builder(Arbitration::max_benefit);
    for (int i = 0; i < 40; ++i)
        builder.promotion(std::to_string(100 + i),
                          {on_products({benefit("discount", {{"percent", std::to_string(1 + i % 3)}})})});
    const Calculation result = calculate(builder.tree, some_order());
    EXPECT_TRUE(result.optimal);
}

// Ten of them are within the reach of the oracle.
TEST(WorkLimit, SmallSearchesAreExact) {
    Tree tree = hostile(5);
    const Order order = some_order();
    const Calculation result = calculate(tree, order);
    EXPECT_TRUE(result.optimal);
    EXPECT_EQ(result.total.units, oracle::calculate(tree, order).total);
}

}  // namespace
}  // namespace loyalty
