// The search of max_benefit: ties, what it costs in steps, and its bounds at work and by themselves. That it is exact
// is tested in property_test.cc.

#include "core/calculate/candidates.hpp"
#include "core/search/reach_bound.hpp"
#include "unit/build.hpp"
#include "unit/oracle.hpp"
#include "unit/search_cases.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <numeric>
#include <random>

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

// The promotions with an effect, by their ids put together.
std::string chosen(const Tree& tree, const Order& order) {
    const Program program = compile(tree, 1);
    CalculationOptions options;
    options.is_credited = [](std::string_view) { return true; };
    const Calculation result = loyalty::calculate(program, order, options);
    EXPECT_TRUE(result.optimal);
    std::string ids;
    for (std::size_t i = 0; i < program.promotions.size(); ++i) {
        const auto is_of = [&](const Operation& operation) {
            const Condition& condition = program.conditions[program.benefits[operation.entry.benefit].condition];
            return condition.promotion == i && operation.entry.has_effect();
        };
        if (std::any_of(result.operations.begin(), result.operations.end(), is_of)) ids += program.promotions[i].id;
    }
    return ids + (result.trace.groups[0].summed ? " summed" : " consistent");
}

TreeBuilder max_benefit() {
    TreeBuilder builder(Arbitration::max_benefit);
    builder.point_type("bonus", "1");
    builder.segment("A");
    builder.segment("B");
    return builder;
}

std::vector<TreeCondition> percent_off(const std::string& percent) {
    return {on_products({benefit("discount", {{"percent", percent}})})};
}

std::vector<TreeCondition> paid(const std::string& percent) {
    return {on_products({benefit("points_discount", {{"point_type", "bonus"}, {"percent", percent}})})};
}

// --- Ties
// -----------------------------------------------------------------------------------------------------------------

// 40 % are off, whoever takes them: by money rather than by points, although that takes a promotion more.
TEST(Ties, LessMoneyPaidByPoints) {
    TreeBuilder builder = max_benefit();
    builder.main().max_discount_percent = decimal("40");
    builder.points_promotion("p", paid("50"));
    builder.promotion("a", percent_off("25"));
    builder.promotion("b", percent_off("25"));
    EXPECT_EQ(chosen(builder.tree, OrderBuilder().line("1", 1000).balance(1000).redeem(0).get()), "ab consistent");
}

// 25 % and then 20 % of the rest are 40 %, too, but one promotion more than 40 %.
TEST(Ties, FewerChildren) {
    TreeBuilder builder = max_benefit();
    builder.main().max_discount_percent = decimal("40");
    builder.promotion("a", percent_off("25"));
    builder.promotion("b", percent_off("20"));
    builder.promotion("c", percent_off("40"));
    EXPECT_EQ(chosen(builder.tree, OrderBuilder().line("1", 1000).get()), "c consistent");
}

TEST(Ties, FewerChildrenOfASum) {
    TreeBuilder builder = max_benefit();
    builder.main().max_discount_percent = decimal("60");
    for (const char* id : {"a", "b", "c", "d"}) builder.promotion(id, percent_off("15"));
    for (const char* id : {"e", "f", "g"}) builder.promotion(id, percent_off("20"));
    EXPECT_EQ(chosen(builder.tree, OrderBuilder().line("1", 1000).get()), "efg summed");
}

// On different lines it makes no difference.
TEST(Ties, ConsistentBeforeSummation) {
    TreeBuilder builder = max_benefit();
    builder.promotion("a", {on_products_in({"A"}, {benefit("discount", {{"percent", "10"}})})});
    builder.promotion("b", {on_products_in({"B"}, {benefit("discount", {{"percent", "20"}})})});
    EXPECT_EQ(
        chosen(builder.tree, OrderBuilder().line("1", 1000).in_segments({0}).line("2", 500).in_segments({1}).get()),
        "ab consistent");
}

TEST(Ties, EarliestPositions) {
    TreeBuilder builder = max_benefit();
    builder.main().min_product_price_percent = decimal("70");
    for (const char* id : {"a", "b", "c", "d", "e"}) builder.promotion(id, percent_off("15"));
    // 15 % twice, in a sum; 15 % and then 15 % of the rest are less.
    EXPECT_EQ(chosen(builder.tree, OrderBuilder().line("1", 1000).get()), "ab summed");
    builder.main().min_product_price_percent = decimal("80");
    EXPECT_EQ(chosen(builder.tree, OrderBuilder().line("1", 1000).get()), "ab consistent");
    builder.main().min_product_price_percent = decimal("90");
    EXPECT_EQ(chosen(builder.tree, OrderBuilder().line("1", 1000).get()), "a consistent");
}

// The first of them is useless: without it one of the others is, too, on the first line.
TEST(Ties, EarliestOfTheFewest) {
    TreeBuilder builder = max_benefit();
    const auto off = [](const char* segment) {
        return std::vector{on_products_in({segment}, {benefit("discount", {{"percent", "100"}})})};
    };
    builder.promotion("a", off("A"));
    builder.promotion("b", off("B"));
    builder.promotion("c", off("A"));
    builder.promotion("d", off("B"));
    const Order order = OrderBuilder()
                            .line("1", 1000)
                            .in_segments({0})
                            .line("2", 1000)
                            .in_segments({1})
                            .line("3", 1000)
                            .in_segments({0, 1})
                            .get();
    EXPECT_EQ(chosen(builder.tree, order), "ab consistent");
}

// Each group of lines has ties of its own.
TEST(Ties, InEachComponent) {
    TreeBuilder builder = max_benefit();
    for (const char* segment : {"A", "B"}) {
        for (const char* percent : {"60", "100", "100"}) {
            builder.promotion(segment + std::to_string(builder.tree.promotions.size()),
                              {on_products_in({segment}, {benefit("discount", {{"percent", percent}})})});
        }
    }
    const Order order =
        OrderBuilder().line("1", 1000).in_segments({0}).line("2", 500).in_segments({1}).line("3", 70).get();
    EXPECT_EQ(chosen(builder.tree, order), "A1B4 consistent");
}

// Worth nothing, so it is a child for nothing.
TEST(Ties, QualificationPointsAreNotChosen) {
    TreeBuilder builder = max_benefit();
    builder.point_type("status", "1", 2, PointKind::qualification);
    builder.points_promotion("a",
                             {on_products({benefit("accrue_points", {{"point_type", "status"}, {"percent", "10"}})})});
    builder.points_promotion("b",
                             {on_products({benefit("accrue_points", {{"point_type", "bonus"}, {"percent", "10"}})})});
    EXPECT_EQ(chosen(builder.tree, OrderBuilder().line("1", 1000).balance(0).balance(0).get()), "b consistent");
}

// --- Accruals
// -------------------------------------------------------------------------------------------------------------

// With a maximum of 10.00 off, it is better taken where it costs no points: 10 % of the first line.
TEST(Search, SparesThePointsBehind) {
    TreeBuilder builder = max_benefit();
    builder.main().max_discount_amount = decimal("10");
    const auto off = [](const char* segment) {
        return std::vector{on_products_in({segment}, {benefit("discount", {{"percent", "100"}})})};
    };
    builder.promotion("a", off("A"));
    builder.promotion("b", off("B"));
    builder.group("g", Arbitration::consistent);
    builder.points_promotion(
        "c", {on_products_in({"A"}, {benefit("accrue_points", {{"point_type", "bonus"}, {"percent", "10"}})})}, "g");
    builder.promotion("d", {on_order({benefit("discount", {{"amount", "0.01"}})})}, "g");
    const Order order =
        OrderBuilder().line("1", 1000).in_segments({0}).line("2", 1000).in_segments({1}).balance(0).get();
    EXPECT_EQ(chosen(builder.tree, order), "bc consistent");
}

// --- What it costs
// --------------------------------------------------------------------------------------------------------

// How often a calculation calls back: once for every 10,000 steps.
int ten_thousands_of_steps(const Case& c) {
    int calls = 0;
    CalculationOptions options;
    options.is_credited = [](std::string_view) { return true; };
    options.check_interrupts = [&] { ++calls; };
    EXPECT_TRUE(loyalty::calculate(compile(c.tree, 1), c.order, options).optimal);
    return calls;
}

TEST(Search, TwentyPromotionsThatInteract) {
    for (const int max_discount : {10, 20, 30, 40, 60, 100})
        EXPECT_LE(ten_thousands_of_steps(interacting_promotions(20, max_discount)), 10) << max_discount;
}

TEST(Search, TwoHundredThatLowerPrices) {
    for (const int promotions : {50, 100, 200})
        EXPECT_LE(ten_thousands_of_steps(lowering_promotions(promotions)), 10) << promotions;
}

// The fixtures of the benchmark, as far as all combinations can be tried.
TEST(Search, FixturesAreExact) {
    for (const int promotions : {3, 6, 8}) {
        for (const Case& c : {interacting_promotions(promotions), lowering_promotions(promotions)}) {
            EXPECT_EQ(calculate(c.tree, c.order).total.units, oracle::calculate(c.tree, c.order).total) << promotions;
        }
    }
}

Case some_case(std::mt19937_64& random, std::uint64_t number) {
    switch (number % 4) {
        case 0:
            return random_search_case(random);
        case 1:
            return random_lowering_case(random);
        case 2:
            return random_mixture(random);
        default:
            return random_picking_case(random);
    }
}

// --- Ended anywhere
// -------------------------------------------------------------------------------------------------------

Worth worth_of(const Program& program, const Order& order, const oracle::Result& result) {
    Money base = order.shipping;
    for (const Line& line : order.lines) base += line.base;
    Worth worth = Worth{base.units - result.total} * program.value_denominator;
    for (std::size_t type = 0; type < program.point_types.size(); ++type)
        worth += Worth{result.accrued[type]} * program.point_types[type].value;
    return worth;
}

// Wherever a search is ended, the best combination is worth no less than what it has found and no more than its bound.
TEST(Search, TheBoundHoldsWhereverItEnds) {
    int unproven = 0, bounded = 0, improved = 0;
    for (std::uint64_t number = 0; number < 1'500; ++number) {
        std::seed_seq seed{std::uint64_t{4}, number};
        std::mt19937_64 random(seed);
        const Case c = some_case(random, number);
        const Program program = compile(c.tree, 1);
        const Order order = order_for(program, c);
        CalculationOptions options;
        options.is_credited = [](std::string_view) { return true; };
        options.search_steps = std::uniform_int_distribution<int>(0, 300)(random);
        options.children_in_full = 0;
        const Calculation result = loyalty::calculate(program, order, options);
        const Worth best = worth_of(program, order, oracle::calculate(c.tree, c.order, c.facts));
        const Worth one = program.value_denominator;
        if (result.optimal) continue;
        ++unproven;
        const auto main = std::find_if(result.unproven.begin(), result.unproven.end(),
                                       [](const Unproven& search) { return search.group == 0; });
        ASSERT_NE(main, result.unproven.end()) << number;
        EXPECT_LE(Worth{main->worth.units} * one, best) << number << "\n" << to_string(c);
        if (!main->bound) continue;
        ++bounded;
        EXPECT_GE(Worth{main->bound->units} * one, best) << number << "\n" << to_string(c);
        if (Worth{main->worth.units + 1} * one < best) ++improved;
    }
    // It did end in many of them, and in some too early.
    EXPECT_GT(unproven, 300);
    EXPECT_GT(bounded, 200);
    EXPECT_GT(improved, 10);
}

// --- The bound by itself
// --------------------------------------------------------------------------------------------------

// A group of children on some state, with all that is needed to evaluate them.
struct Bench {
    explicit Bench(const Case& c)
        : program(compile(c.tree, 1)),
          order(order_for(program, c)),
          bounds(program, order),
          candidates(find_candidates(program, order)),
          work({}, INT64_MAX),
          arbiter(bounds, candidates, work),
          enclosing{nullptr, &program.groups[0], bounds.max_discount(program.groups[0])},
          state(order, program.point_types.size()) {
        scope.enclosing = &enclosing;
        for (const auto& child : candidates.main.children) children.push_back(&child);
    }

    Program program;
    Order order;
    Bounds bounds;
    Candidates candidates;
    Work work;
    Arbiter arbiter;
    Enclosing enclosing;
    Scope scope;
    State state;
    Children children;
};

// From states that some of the children have left, every combination of the others keeps to the bound.
TEST(ReachBound, IsNeverLessThanACombination) {
    for (std::uint64_t number = 0; number < 1'500; ++number) {
        std::seed_seq seed{std::uint64_t{5}, number};
        std::mt19937_64 random(seed);
        const Case c = some_case(random, number);
        Bench bench(c);
        const SearchProblem problem{bench.arbiter, bench.children, bench.state, bench.scope};
        const std::size_t size = bench.children.size();
        std::vector<std::size_t> all(size);
        std::iota(all.begin(), all.end(), std::size_t{0});
        ReachBound reach(problem, all);
        if (!reach.known(0)) continue;
        const std::size_t next = size == 0 ? 0 : std::uniform_int_distribution<std::size_t>(0, size - 1)(random);
        State state = bench.state;
        for (std::size_t i = 0; i < next; ++i) {
            if (random() % 2 == 0) bench.arbiter.evaluate(*bench.children[i], state, bench.scope);
        }
        const Worth most = reach.most(next, state);
        const Worth without_points = reach.most_without_points(next, state);
        for (unsigned subset = 0; subset < 1U << std::min<std::size_t>(size - next, 7); ++subset) {
            State after = state;
            Worth worth = 0;
            for (std::size_t i = next; i < size; ++i) {
                if (subset >> (i - next) & 1U)
                    worth += problem.accrued(bench.arbiter.evaluate(*bench.children[i], after, bench.scope));
            }
            worth += problem.worth_of(state.total() - after.total());
            ASSERT_LE(worth, most) << number << " from " << next << "\n" << to_string(c);
            const Money paid = paid_by_points(after) - paid_by_points(state);
            ASSERT_LE(worth, without_points + problem.worth_of(paid)) << number << "\n" << to_string(c);
            ASSERT_LE(reach.fewest(next, state, worth), std::popcount(subset)) << number << "\n" << to_string(c);
        }
    }
}

}  // namespace
}  // namespace loyalty
