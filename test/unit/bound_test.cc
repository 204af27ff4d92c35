// The bound over all orders: known ones, and random trees, of which neither a random order nor the best that a search
// finds gets more, and mostly one gets as much.
#include "core/bound/bound.hpp"
#include "core/bound/witness.hpp"

#include "unit/build.hpp"
#include "unit/random_case.hpp"
#include "unit/random_program.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace loyalty {
namespace {

using build::benefit;
using build::on_order;
using build::on_products;
using build::on_products_in;

std::string percent_of(const Tree& tree, Measure measure = Measure::discount) {
    const Bound bound = find_bound(compile(tree, 1), measure, {});
    return bound.at_most ? Decimal::of(*bound.at_most, 10).to_string() : "without end";
}

TreeBenefit discount(const std::string& percent) { return benefit("discount", {{"percent", percent}}); }

TEST(Bound, OfEachArbitration) {
    for (const auto& [arbitration, most] : {std::pair{Arbitration::consistent, "37"},
                                            {Arbitration::summation, "40"},
                                            {Arbitration::incompatibility, "30"},
                                            {Arbitration::max_benefit, "40"}}) {
        build::TreeBuilder builder(arbitration);
        builder.segment("A");
        builder.promotion("ten", {on_products_in({"A"}, {discount("10")})});
        builder.promotion("thirty", {on_order({discount("30")})});
        EXPECT_EQ(percent_of(builder.tree), most);
    }
}

TEST(Bound, OfWhatExcludesEachOtherWhatIsSureComesFirst) {
    build::TreeBuilder builder(Arbitration::incompatibility);
    builder.promotion("ten", {on_products({discount("10")})});
    builder.promotion("thirty", {on_products({discount("30")})});
    EXPECT_EQ(percent_of(builder.tree), "10");
    builder.tree.promotions.front().audience = Audience::members;
    EXPECT_EQ(percent_of(builder.tree), "30");
}

// What comes first is sure, and lowers all; but it is left out where what wants untouched units gives more, and cannot be added.
TEST(Bound, OfWhatWantsUntouchedUnitsInAChoice) {
    build::TreeBuilder builder(Arbitration::max_benefit);
    builder.promotion("ten", {on_products({discount("10")})});
    TreeCondition untouched = on_products({discount("70"), benefit("round_price", {{"direction", "up"}, {"step", "0.63"}})});
    untouched.untouched = true;
    builder.promotion("seventy", {untouched});
    EXPECT_EQ(percent_of(builder.tree), "70");
    builder.main().arbitration = Arbitration::consistent;
    EXPECT_EQ(percent_of(builder.tree), "10");
}

TEST(Bound, OfAmounts) {
    build::TreeBuilder builder;
    builder.promotion("ten", {on_order({benefit("discount", {{"amount", "10"}})})});
    EXPECT_EQ(percent_of(builder.tree), "100");
    builder.tree.promotions.front().minimum.total = Decimal(50);
    EXPECT_EQ(percent_of(builder.tree), "20");
    EXPECT_EQ(percent_of(builder.tree, Measure::line_discount), "100");
    builder.promotion("half", {on_products({discount("50")})});
    EXPECT_EQ(percent_of(builder.tree), "60");
}

TEST(Bound, OfLimits) {
    build::TreeBuilder builder;
    builder.group("held", Arbitration::consistent).max_discount_percent = Decimal(15);
    builder.promotion("ten", {on_order({benefit("discount", {{"amount", "10"}})})}, "held");
    EXPECT_EQ(percent_of(builder.tree), "15");
    EXPECT_EQ(percent_of(builder.tree, Measure::line_discount), "100");
    builder.main().min_product_price_percent = Decimal(90);
    EXPECT_EQ(percent_of(builder.tree, Measure::line_discount), "10");
}

TEST(Bound, OfWhatNeverMeets) {
    build::TreeBuilder builder;
    builder.segment("A");
    builder.promotion("a", {on_products_in({"A"}, {discount("20")})});
    builder.promotion("b", {on_products_in({"A"}, {discount("30")})});
    EXPECT_EQ(percent_of(builder.tree), "44");
    builder.tree.promotions.back().conditions.front().mode = ConditionMode::outside;
    EXPECT_EQ(percent_of(builder.tree), "30");
    builder.tree.promotions.back().conditions.front().mode = ConditionMode::in;
    builder.tree.promotions.front().ends_at = LocalTime{day_us, day_us};
    builder.tree.promotions.back().starts_at = LocalTime{day_us, day_us};
    EXPECT_EQ(percent_of(builder.tree), "30");
    builder.tree.promotions.back().starts_at = LocalTime{day_us - 1, day_us - 1};
    EXPECT_EQ(percent_of(builder.tree), "44");
    builder.tree.promotions.front().audience = Audience::guests;
    builder.tree.promotions.back().audience = Audience::members;
    EXPECT_EQ(percent_of(builder.tree), "30");
}

// A set takes at most its percent off all goods, but one of its lines may bear what floors of the others refuse.
TEST(Bound, OfSets) {
    build::TreeBuilder builder;
    TreeBenefit set{"set", Parameters("set")};
    set.parameters.add("percent", Parameters::Type::number, "50");
    std::vector<Parameters> get(1, Parameters("set"));
    get.front().add("count", Parameters::Type::number, "1");
    set.parameters.add("get", "[get]", std::move(get));
    builder.promotion("half", {on_products({std::move(set)})});
    EXPECT_EQ(percent_of(builder.tree), "50");
    EXPECT_EQ(percent_of(builder.tree, Measure::line_discount), "100");
}

// The third for nothing is a third of all, for the cheapest are got; the dearest may be all that there is.
TEST(Bound, OfSetsOfWhichSomeIsBought) {
    build::TreeBuilder builder;
    const auto bought = [](const char* count, std::vector<std::string> segments) {
        std::vector<Parameters> parts(1, Parameters("set"));
        parts.front().add("count", Parameters::Type::number, count);
        if (!segments.empty()) parts.front().add("segments", Parameters::Type::texts, "[]", std::move(segments));
        return parts;
    };
    TreeBenefit set{"set", Parameters("set")};
    set.parameters.add("percent", Parameters::Type::number, "80");
    set.parameters.add("buy", "[buy]", bought("3", {}));
    set.parameters.add("get", "[get]", bought("1", {}));
    builder.segment("A");
    builder.promotion("fourth", {on_products({set})});
    EXPECT_EQ(percent_of(builder.tree), "20");
    TreeBenefit dearest = set;
    dearest.parameters.add("pick", Parameters::Type::text, "most_expensive");
    builder.tree.promotions.front().conditions.front().benefits.front() = dearest;
    EXPECT_EQ(percent_of(builder.tree), "80");
    TreeBenefit other{"set", Parameters("set")};
    other.parameters.add("percent", Parameters::Type::number, "80");
    other.parameters.add("buy", "[buy]", bought("3", {"A"}));
    other.parameters.add("get", "[get]", bought("1", {}));
    builder.tree.promotions.front().conditions.front().benefits.front() = other;
    EXPECT_EQ(percent_of(builder.tree), "80");
}

TEST(Bound, OfPoints) {
    build::TreeBuilder builder;
    builder.point_type("bonus", "10");
    builder.points_promotion("a",
                             {on_products({benefit("accrue_points", {{"point_type", "bonus"}, {"percent", "5"}})})});
    EXPECT_EQ(percent_of(builder.tree, Measure::points), "5");
    auto& fixed = builder.points_promotion(
        "b", {on_order({benefit("accrue_points", {{"point_type", "bonus"}, {"points", "50"}})})});
    EXPECT_EQ(percent_of(builder.tree, Measure::points), "without end");
    fixed.minimum.total = Decimal(100);
    EXPECT_EQ(percent_of(builder.tree, Measure::points), "10");
}

// Of the points that stand before it in its group, and of no others.
TEST(Bound, OfPointsThatAreMultiplied) {
    build::TreeBuilder builder;
    builder.segment("A");
    builder.point_type("bonus", "10");
    const TreeBenefit twice = benefit("multiply_points", {{"point_type", "bonus"}, {"factor", "2.5"}});
    builder.points_promotion("before", {on_products({twice})});
    builder.points_promotion("a",
                             {on_products({benefit("accrue_points", {{"point_type", "bonus"}, {"percent", "5"}})})});
    EXPECT_EQ(percent_of(builder.tree, Measure::points), "5");
    EXPECT_EQ(percent_of(builder.tree), "0");
    builder.points_promotion("behind", {on_products_in({"A"}, {twice})});
    EXPECT_EQ(percent_of(builder.tree, Measure::points), "12.5");
    EXPECT_EQ(percent_of(builder.tree), "0");
    builder.group("apart", Arbitration::consistent);
    builder.points_promotion("elsewhere", {on_order({twice})}, "apart");
    EXPECT_EQ(percent_of(builder.tree, Measure::points), "12.5");
}

TEST(Bound, OfAThousandPromotionsTakesNoTime) {
    build::TreeBuilder builder;
    for (int i = 0; i < 20; ++i) builder.group("g" + std::to_string(i), static_cast<Arbitration>(i % 4));
    builder.segment("A");
    for (int i = 0; i < 1000; ++i) {
        auto& promotion =
            builder.promotion("p" + std::to_string(i),
                              {i % 3 == 0 ? on_order({discount("1")}) : on_products_in({"A"}, {discount("0.5")})},
                              "g" + std::to_string(i % 20));
        if (i % 2 == 0) promotion.minimum.total = Decimal(1 + i);
        if (i % 5 == 0) promotion.starts_at = LocalTime{i * day_us, i * day_us};
    }
    const auto begun = std::clock();
    EXPECT_NE(percent_of(builder.tree), "100");
    const double seconds = static_cast<double>(std::clock() - begun) / CLOCKS_PER_SEC;
    RecordProperty("seconds", std::to_string(seconds));
    if (std::getenv("LOYALTY_TIMES")) printf("%.3f s\n", seconds);
}

// --- Random trees --------------------------------------------------------------------------------------------------

CalculationOptions options() {
    CalculationOptions options;
    options.is_credited = [](std::string_view) { return true; };
    return options;
}

Outcome outcome_of(const Program& program, const Order& order, Measure measure) {
    const Calculation calculation = calculate(program, order, options());
    if (measure == Measure::discount) return {calculation.goods.base, calculation.goods.base - calculation.goods.total};
    if (measure == Measure::points) {
        int128 worth = 0;
        for (std::size_t type = 0; type < program.point_types.size(); ++type)
            worth += int128{calculation.points[type].accrued.units} * program.point_types[type].value;
        return {calculation.goods.base, Money{static_cast<std::int64_t>(worth / program.value_denominator)}};
    }
    Outcome best;
    for (const auto& line : calculation.lines) {
        const Outcome one{line.base, line.base - line.total};
        if (best.base.is_zero() ||
            int128{one.taken.units} * best.base.units > int128{best.taken.units} * one.base.units)
            best = one;
    }
    return best;
}

// Whether an outcome of so many lines is within the bound.
bool is_within(const Bound& bound, const Outcome& outcome, std::size_t lines) {
    if (!bound.at_most) return true;
    const int128 allowed = int128{outcome.base.units} * *bound.at_most +
                           int128{whole_share} * static_cast<std::int64_t>(lines) * bound.halves_of_line / 2;
    return int128{outcome.taken.units} * whole_share <= allowed;
}

// What the search does not get at is less than rounding may take, and that is little.
bool is_reached(const Bound& bound, const Outcome& outcome, std::size_t lines) {
    if (!bound.at_most || *bound.at_most == 0) return true;
    const int128 rounding = int128{whole_share} * static_cast<std::int64_t>(lines) * bound.halves_of_line / 2;
    const int128 missing = int128{outcome.base.units} * *bound.at_most - int128{outcome.taken.units} * whole_share;
    return missing <= 0 || (missing <= rounding && rounding * 10 <= int128{outcome.base.units} * *bound.at_most);
}

// Lines in each set of segments; prices that fields say are 0.
Order order_of(const Program& program, const Sketch& sketch) {
    Order order;
    for (std::size_t i = 0; i < sketch.lines.size(); ++i) {
        Line line;
        line.id = std::string(1, static_cast<char>('a' + i));
        line.product = "P" + line.id;
        line.position = static_cast<std::uint32_t>(i);
        line.price = sketch.lines[i].price;
        line.quantity = sketch.lines[i].quantity;
        line.base = times(line.price, line.quantity);
        for (std::uint32_t segment = 0; segment < program.segments.size(); ++segment) {
            if (sketch.lines[i].goods >> segment & 1) line.segments.push_back(segment);
        }
        line.values.assign(program.reads.product.size(), {Decimal(), "0"});
        order.lines.push_back(line);
    }
    order.buyer.kind = sketch.world.member ? BuyerKind::member : BuyerKind::anonymous;
    const Points plenty{1'000'000'000'000};
    order.buyer.balances.assign(program.point_types.size(), {plenty, plenty, true});
    if (sketch.world.member && sketch.redeems) order.redeem.push_back({0, std::nullopt});
    order.time = sketch.time.value_or(LocalTime{});
    order.channel = sketch.world.channel.value_or("");
    for (std::uint32_t pool = 0; pool < program.pools.size(); ++pool) {
        if (!(sketch.withheld >> pool & 1)) order.pools.push_back(pool);
    }
    return order;
}

// 33.3 % of 132.15 is 44.00595, rounded 44.01. Of that 43.7436 belong to the dear line, which gets the cent that is left:
// more than a cent above 33.3 % of its own 131.35.
TEST(Bound, OfALineThatGetsWhatIsLeftOfAnOrder) {
    build::TreeBuilder builder;
    builder.promotion("third", {on_order({discount("33.3")})});
    const Program program = compile(builder.tree, 1);
    Sketch sketch;
    for (const std::int64_t price : {28, 13135, 52}) sketch.lines.push_back({0, Money{price}});
    const Outcome outcome = outcome_of(program, order_of(program, sketch), Measure::line_discount);
    EXPECT_EQ(outcome.base.units, 13135);
    EXPECT_EQ(outcome.taken.units, 4375);
    EXPECT_TRUE(is_within(find_bound(program, Measure::line_discount, {}), outcome, 1));
}

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

struct Counts {
    std::uint64_t trees = 0, amounts = 0, limits = 0, segments = 0, sets = 0, reached[3]{};
};

// A better and better order, by chance.
void expect_none_above(std::mt19937_64& random, const Program& program, Measure measure, const Bound& bound,
                       const Case& c) {
    Order best = random_order(random, program);
    Outcome found = outcome_of(program, best, measure);
    for (int i = 0; i < 40 && !testing::Test::HasFailure(); ++i) {
        const Order order = i < 15 ? random_order(random, program) : changed(random, program, best);
        const Outcome outcome = outcome_of(program, order, measure);
        if (outcome.base.is_zero()) continue;
        const std::size_t lines = measure == Measure::line_discount ? 1 : order.lines.size();
        EXPECT_TRUE(is_within(bound, outcome, lines))
            << outcome.taken.units << " of " << outcome.base.units << " is more than "
            << Decimal::of(bound.at_most.value_or(0), 10).to_string() << " % and " << bound.halves_of_line
            << " halves\n"
            << to_string({c.tree, order, {}});
        if (found.base.is_zero() ||
            int128{outcome.taken.units} * found.base.units > int128{found.taken.units} * outcome.base.units) {
            found = outcome;
            best = order;
        }
    }
}

void try_tree(std::uint64_t number, Counts& counts) {
    std::seed_seq sequence{setting("LOYALTY_SEED", 20261122), number};
    std::mt19937_64 random(sequence);
    const Tree tree = random_program(random);
    const Program program = compile(tree, 1);
    const Contents contents = contents_of(tree);
    counts.trees++;
    counts.amounts += contents.amounts;
    counts.limits += contents.limits;
    counts.segments += contents.segments;
    counts.sets += contents.sets;
    for (const Measure measure : {Measure::discount, Measure::line_discount, Measure::points}) {
        const Bound bound = find_bound(program, measure, {});
        const Case c{tree, {}, {}};
        expect_none_above(random, program, measure, bound, c);
        const auto witness = find_witness(program, bound, 8, 600, [&](const Sketch& sketch) -> std::optional<Outcome> {
            const Order order = order_of(program, sketch);
            const Outcome outcome = outcome_of(program, order, measure);
            EXPECT_TRUE(is_within(bound, outcome, measure == Measure::line_discount ? 1 : order.lines.size()))
                << outcome.taken.units << " of " << outcome.base.units << "\n"
                << to_string({tree, order, {}});
            return outcome;
        });
        const std::size_t lines = witness && measure != Measure::line_discount ? witness->sketch.lines.size() : 1;
        const bool reached = witness && is_reached(bound, witness->outcome, lines);
        counts.reached[static_cast<int>(measure)] += reached;
        if (std::getenv("LOYALTY_MISSES") && !reached && measure == Measure::discount && witness) {
            printf("case %lu: %ld of %ld, at most %s %%\n%s\n", number, witness->outcome.taken.units,
                   witness->outcome.base.units, Decimal::of(*bound.at_most, 10).to_string().c_str(),
                   to_string({tree, order_of(program, witness->sketch), {}}).c_str());
        }
    }
}

#ifdef __SANITIZE_ADDRESS__
constexpr std::uint64_t trees = 60;
#else
constexpr std::uint64_t trees = 500;
#endif

TEST(Bound, NoOrderGetsMoreAndMostlyOneGetsAsMuch) {
    Counts counts;
    const std::uint64_t first = setting("LOYALTY_CASE", 0), cases = setting("LOYALTY_CASES", trees);
    for (std::uint64_t number = first; number < first + cases && !HasFailure(); ++number) {
        SCOPED_TRACE("LOYALTY_CASE=" + std::to_string(number));
        try_tree(number, counts);
    }
    if (std::getenv("LOYALTY_TIMES"))
        printf("%lu trees, amounts %lu, limits %lu, segments %lu, sets %lu; reached %lu, line %lu, points %lu\n",
               counts.trees, counts.amounts, counts.limits, counts.segments, counts.sets, counts.reached[0],
               counts.reached[1], counts.reached[2]);
    if (cases < 60) return;
    EXPECT_GE(counts.amounts * 10, counts.trees * 3);
    EXPECT_GE(counts.limits * 10, counts.trees * 3);
    EXPECT_GE(counts.segments * 10, counts.trees * 3);
    EXPECT_GE(counts.sets * 10, counts.trees);
    EXPECT_GE(counts.reached[0] * 10, counts.trees * 9);
}

}  // namespace
}  // namespace loyalty
