// What is counted of a calculation, what it weighs, and that a search of any kind ends at the limit.

#include "core/calculate/work.hpp"

#include "unit/build.hpp"
#include "unit/search_cases.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace loyalty {
namespace {

// How many of a kind a search may do within so many steps.
std::size_t how_many(Step kind, std::int64_t steps) {
    Work work({}, steps);
    const Work::Search search(work);
    std::size_t count = 0;
    for (; !work.search_exhausted(); ++count) work.add(kind);
    return count - 1;
}

TEST(Work, HasConstantWeights) {
    const std::pair<Step, std::size_t> within_1000_steps[] = {
        {Step::benefit, 142}, {Step::part, 500}, {Step::group, 33'333},  {Step::cut, 50'000},  {Step::pick, 20'000},
        {Step::sum, 166},     {Step::set, 909},  {Step::share, 100'000}, {Step::price, 50'000}};
    for (const auto& [kind, count] : within_1000_steps)
        EXPECT_EQ(how_many(kind, 1'000), count) << static_cast<std::int64_t>(kind);
}

TEST(Work, AddsUpWhatIsCounted) {
    int calls = 0;
    Work work([&] { ++calls; }, 0);
    work.add(Step::benefit, 3);
    work.add(Step::part, 24);
    EXPECT_EQ(work.steps(), 21 + 48);
    work.add(Step::cut);
    EXPECT_EQ(work.steps(), 21 + 48 + 1);
    EXPECT_EQ(calls, 1);
    work.add(Step::pick, 1'000'000);
    EXPECT_EQ(calls, 2);
}

// One benefit looks at three lines, and three effects are told about, each some times.
TEST(Work, OfACalculation) {
    build::TreeBuilder builder;
    builder.promotion("a", {build::on_products({build::benefit("discount", {{"percent", "10"}})})});
    const auto steps = [&](int lines) {
        build::OrderBuilder order;
        for (int i = 0; i < lines; ++i) order.line(std::to_string(i), 1000);
        return build::calculate(builder.tree, order.get()).steps;
    };
    EXPECT_EQ(steps(0), 0);
    EXPECT_EQ(steps(3) - steps(2), steps(2) - steps(1));
    EXPECT_EQ(steps(1) - (steps(2) - steps(1)), 7);
}

// Whatever a search is about: the limit is one for its work, and it goes beyond by less than what it has begun.
TEST(Work, EndsASearchOfAnyKind) {
    const Case cases[] = {picking_promotions(60), covering_promotions(60), rounding_promotions(60)};
    for (const Case& c : cases) {
        CalculationOptions options;
        options.is_credited = [](std::string_view) { return true; };
        options.search_steps = 20'000;
        const Calculation result = calculate(compile(c.tree, 1), c.order, options);
        EXPECT_FALSE(result.optimal);
        EXPECT_GT(result.steps, 20'000);
        EXPECT_LT(result.steps, 25'000);
    }
}

}  // namespace
}  // namespace loyalty
