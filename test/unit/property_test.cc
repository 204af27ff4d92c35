// Random orders through random trees: the engine must agree with the oracle in every figure. LOYALTY_CASES sets how
// many, LOYALTY_SEED the start; a failure prints the smallest failing case that could be found, and how to repeat it.

#include "core/calculate/returns.hpp"
#include "core/explain/explain.hpp"
#include "unit/build.hpp"
#include "unit/oracle.hpp"
#include "unit/random_case.hpp"
#include "unit/random_conditions.hpp"
#include "unit/search_cases.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <sstream>

namespace loyalty {
namespace {

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
    const char* value = std::getenv(name);
    return value ? std::strtoull(value, nullptr, 10) : otherwise;
}

// The engine's result in the oracle's form.
oracle::Result as_oracle_result(const Program& program, const Order& order, const Calculation& calculation) {
    oracle::Result result;
    const auto figures = [](const LineResult& line) {
        return oracle::Figures{line.discount.units, line.points_discount.units, line.total.units};
    };
    for (const LineResult& line : calculation.lines) result.lines.push_back(figures(line));
    result.shipping = figures(calculation.shipping);
    result.total = calculation.total.units;
    result.paid.assign(program.point_types.size(), 0);
    for (const PointsResult& points : calculation.points) {
        result.spent.push_back(points.spent.units);
        result.accrued.push_back((points.accrued + points.pending).units);
    }
    for (const Operation& operation : calculation.operations) {
        const Entry& entry = operation.entry;
        if (!entry.has_effect()) continue;
        const Condition& condition = program.conditions[program.benefits[entry.benefit].condition];
        int number = 0;
        for (Index b = 0; b < entry.benefit; ++b) {
            const Condition& other = program.conditions[program.benefits[b].condition];
            if (other.promotion == condition.promotion && other.level == condition.level) ++number;
        }
        const std::string target = entry.target == Entry::Target::line       ? order.lines[entry.line].id
                                   : entry.target == Entry::Target::shipping ? "(shipping)"
                                                                             : "(order)";
        oracle::EffectSum& sum =
            result.effects[{program.promotions[condition.promotion].id, condition.level, number, target}];
        if (entry.kind == Entry::Kind::money) sum.money += entry.applied.units;
        if (entry.kind == Entry::Kind::paid_by_points) {
            sum.paid += entry.applied.units;
            result.paid[entry.point_type] += entry.applied.units;
        }
        if (entry.kind == Entry::Kind::accrual || entry.kind == Entry::Kind::deduction)
            sum.points += entry.points.units;
        if (entry.kind == Entry::Kind::text) sum.texts++;
        if (entry.kind == Entry::Kind::promo_code) sum.codes++;
        sum.given += entry.given.units / one_unit.units;
        sum.worth += entry.worth.units;
    }
    return result;
}

class Difference {
public:
    template <class Value>
    void check(const std::string& what, const Value& expected, const Value& got) {
        if (expected == got) return;
        out_ << "  " << what << ": expected " << expected << ", got " << got << "\n";
    }
    void check(const std::string& what, const oracle::Figures& expected, const oracle::Figures& got) {
        check(what + " discount", expected.discount, got.discount);
        check(what + " points discount", expected.points_discount, got.points_discount);
        check(what + " total", expected.total, got.total);
    }
    void check(const std::string& what, const oracle::EffectSum& expected, const oracle::EffectSum& got) {
        check(what + " money", expected.money, got.money);
        check(what + " paid", expected.paid, got.paid);
        check(what + " points", expected.points, got.points);
        check(what + " texts", expected.texts, got.texts);
        check(what + " codes", expected.codes, got.codes);
        check(what + " given", expected.given, got.given);
        check(what + " worth", expected.worth, got.worth);
    }
    void check(const std::string& what, const std::vector<std::int64_t>& expected,
               const std::vector<std::int64_t>& got) {
        for (std::size_t i = 0; i < expected.size(); ++i) check(what + " " + std::to_string(i), expected[i], got[i]);
    }
    void fail(const std::string& what) { out_ << "  " << what << "\n"; }
    std::string text() const { return out_.str(); }

private:
    std::ostringstream out_;
};

void compare(const oracle::Result& expected, const oracle::Result& got, const Order& order, Difference& difference) {
    for (std::size_t i = 0; i < order.lines.size(); ++i)
        difference.check("line " + order.lines[i].id, expected.lines[i], got.lines[i]);
    difference.check("shipping", expected.shipping, got.shipping);
    difference.check("total", expected.total, got.total);
    difference.check("paid", expected.paid, got.paid);
    difference.check("spent", expected.spent, got.spent);
    difference.check("accrued", expected.accrued, got.accrued);
    std::map<oracle::EffectKey, std::pair<oracle::EffectSum, oracle::EffectSum>> effects;
    for (const auto& [key, sum] : expected.effects) effects[key].first = sum;
    for (const auto& [key, sum] : got.effects) effects[key].second = sum;
    for (const auto& [key, sums] : effects) {
        const auto& [promotion, level, number, target] = key;
        difference.check(promotion + (level == Level::product ? " product" : " order") + " benefit " +
                             std::to_string(number) + " on " + target,
                         sums.first, sums.second);
    }
}

// --- What holds whatever the definition
// -----------------------------------------------------------------------------------

void check_sums(const Order& order, const Calculation& calculation, Difference& difference) {
    Money lines;
    for (std::size_t i = 0; i < order.lines.size(); ++i) {
        const LineResult& line = calculation.lines[i];
        lines += line.total;
        difference.check("base of line " + order.lines[i].id, order.lines[i].base.units, line.base.units);
        difference.check("base - discounts of line " + order.lines[i].id,
                         (line.base - line.discount - line.points_discount).units, line.total.units);
    }
    difference.check("sum of lines and shipping", (lines + calculation.shipping.total).units, calculation.total.units);
    difference.check("goods", lines.units, calculation.goods.total.units);
}

std::vector<std::string> ancestors(const Tree& tree, std::string parent) {
    std::vector<std::string> result;
    while (!parent.empty()) {
        result.push_back(parent);
        for (const TreeGroup& group : tree.groups) {
            if (group.id == result.back()) parent = group.parent;
        }
    }
    return result;
}

const TreePromotion& promotion_called(const Tree& tree, const std::string& id) {
    return *std::find_if(tree.promotions.begin(), tree.promotions.end(),
                         [&](const TreePromotion& p) { return p.id == id; });
}

std::int64_t units(const Decimal& value, int scale) { return value.units(scale).value(); }

void check_max_discounts(const Case& c, const oracle::Result& got, Difference& difference) {
    std::map<std::string, std::int64_t> gross;
    for (const auto& [key, sum] : got.effects) {
        if (std::get<3>(key) == "(shipping)") continue;
        for (const auto& group : ancestors(c.tree, promotion_called(c.tree, std::get<0>(key)).parent))
            gross[group] += sum.money + sum.paid;
    }
    std::int64_t base = 0;
    for (const Line& line : c.order.lines) base += line.base.units;
    for (const TreeGroup& group : c.tree.groups) {
        if (group.max_discount_amount && gross[group.id] > units(*group.max_discount_amount, c.tree.currency_scale)) {
            difference.fail("more than the maximum discount of " + group.id);
        }
        // gross / base may exceed the percentage by the rounding of the maximum only: half a unit.
        if (group.max_discount_percent && int128{gross[group.id]} * 200'000'000 >
                                              int128{base} * 2 * units(*group.max_discount_percent, 6) + 100'000'000) {
            difference.fail("more than the maximum discount of " + group.id);
        }
    }
}

// Lines that no floor allows to be below `floor × quantity`; a line of several unit groups may lose half a unit in
// each.
void check_floors(const Case& c, const Calculation& calculation, Difference& difference) {
    const TreeGroup& main = c.tree.groups.front();
    for (std::size_t i = 0; i < c.order.lines.size(); ++i) {
        const Line& line = c.order.lines[i];
        const std::int64_t total = calculation.lines[i].total.units;
        if (total < 0) difference.fail("line " + line.id + " is below 0");
        const auto check = [&](int128 floor_millionths, const char* what) {
            const int128 floor = std::min<int128>(floor_millionths, int128{line.base.units} * 1'000'000);
            if (total == line.base.units) return;
            if (int128{total} * 1'000'000 < floor - 10 * 1'000'000)
                difference.fail("line " + line.id + " is below " + what);
        };
        if (line.min_price)
            check(int128{line.min_price->units} * line.quantity.units / line.min_price->parts, "its own floor");
        if (main.min_product_price_amount) {
            check(int128{units(*main.min_product_price_amount, max_price_scale)} * line.quantity.units /
                      power_of_ten(max_price_scale - c.tree.currency_scale),
                  "main's floor");
        }
        if (main.min_product_price_percent) {
            check(int128{line.price.units} * units(*main.min_product_price_percent, 6) / 100'000'000 *
                      line.quantity.units / line.price.parts,
                  "main's floor");
        }
    }
}

void check_balances(const Case& c, const Calculation& calculation, Difference& difference) {
    for (std::size_t type = 0; type < c.tree.point_types.size(); ++type) {
        if (calculation.points[type].spent > c.order.buyer.balances[type].active)
            difference.fail("more points spent than there are");
        Points sum;
        for (const Operation& operation : calculation.operations) {
            if (operation.entry.point_type == type) sum += operation.spent;
        }
        difference.check("points spent by operations", calculation.points[type].spent.units, sum.units);
    }
}

// --- What is told
// -----------------------------------------------------------------------------------------------------------

// The reason why a promotion takes no part, by the oracle.
Reason refusal_of(const Case& c, const TreePromotion& promotion) {
    const Reason obstacle = oracle::obstacle(promotion, c.order, c.facts);
    if (obstacle != Reason::none) return obstacle;
    for (const TreeCondition& condition : promotion.conditions) {
        if (condition.level == Level::order ? oracle::holds(condition, c.facts)
                                            : oracle::has_lines(c.tree, condition, c.order))
            return Reason::none;
    }
    const TreeCondition& first = promotion.conditions.front();
    if (first.level == Level::order) return Reason::order_does_not_match;
    const bool any = std::any_of(c.order.lines.begin(), c.order.lines.end(),
                                 [&](const Line& line) { return oracle::fulfils(c.tree, first, line); });
    return any ? Reason::lines_too_small : Reason::no_matching_line;
}

// A limit is named only where there is one.
void check_cut_by(const Program& program, const Entry& entry, Difference& difference) {
    const Condition& condition = program.conditions[program.benefits[entry.benefit].condition];
    const Promotion& promotion = program.promotions[condition.promotion];
    const bool is_cut = entry.applied < entry.asked || !entry.points_cut.is_zero();
    if (entry.cut_by.any() != is_cut) difference.fail("cut, and not by what: " + promotion.id);
    std::uint32_t max_discounts = 0, min_prices = 0;
    for (Index index = promotion.parent; index != none; index = program.groups[index].parent) {
        const Group& group = program.groups[index];
        const Limits& limits = group.limits;
        if (limits.max_discount_share || limits.max_discount_amount) max_discounts |= 1U << group.depth;
        if (limits.min_price_share || limits.min_price_amount) min_prices |= 1U << group.depth;
    }
    if ((entry.cut_by.max_discounts & ~max_discounts) != 0 || (entry.cut_by.min_product_prices & ~min_prices) != 0)
        difference.fail("cut by a limit that is not there: " + promotion.id);
    if (entry.cut_by.points && entry.kind != Entry::Kind::paid_by_points && entry.kind != Entry::Kind::deduction)
        difference.fail("money cut by points: " + promotion.id);
}

// Whether the promotion, or a group around it, has lost to something that is worth no less.
bool tells_contest(const Program& program, const Calculation& calculation, Index promotion) {
    const auto& contest = calculation.trace.promotions[promotion].contest;
    if (contest) return contest->theirs >= contest->own;
    for (Index group = program.promotions[promotion].parent; group != none; group = program.groups[group].parent) {
        const NodeTrace& trace = calculation.trace.groups[group];
        if (trace.contest) return trace.reason == Reason::not_chosen && trace.contest->theirs >= trace.contest->own;
        // It has lost line by line, and other promotions of its child have not.
        if (program.groups[group].best == Best::single_by_line) return true;
    }
    return false;
}

// Every promotion has one status: applied, or the first reason why not.
void check_statuses(const Case& c, const Program& program, const Calculation& calculation, Difference& difference) {
    std::vector<bool> works(program.promotions.size());
    for (const Operation& operation : calculation.operations) {
        const Condition& condition = program.conditions[program.benefits[operation.entry.benefit].condition];
        if (operation.entry.has_effect()) works[condition.promotion] = true;
        check_cut_by(program, operation.entry, difference);
    }
    for (Index i = 0; i < program.promotions.size(); ++i) {
        const std::string& id = program.promotions[i].id;
        const NodeTrace& trace = calculation.trace.promotions[i];
        const Reason refusal = refusal_of(c, promotion_called(c.tree, id));
        difference.check("whether " + id + " is applied", bool{works[i]}, trace.reason == Reason::none);
        // A benefit on the order that names segments may find no line in them.
        // What is asked at current prices, and of which a budget has nothing left, is found out on the way.
        const bool on_the_way = refusal == Reason::none &&
                                (trace.reason == Reason::no_matching_line || trace.counted ||
                                 (trace.reason == Reason::limit_reached && c.facts.left.at(id).money));
        if (refusal != Reason::none || (trace.reason <= Reason::lines_too_small && !on_the_way))
            difference.check("reason of " + id, static_cast<int>(refusal), static_cast<int>(trace.reason));
        if (trace.reason == Reason::taken && !trace.contest) difference.fail("by how much " + id + " has lost");
        if (trace.reason == Reason::not_chosen && !tells_contest(program, calculation, i))
            difference.fail("what " + id + " was not chosen for");
        if (trace.reason == Reason::cut_by_limit && !trace.cut_by.any()) difference.fail("what has cut " + id);
    }
}

// The lines of a document permuted: they keep their ids, and so their place in line order.
Order permuted(Order order) {
    const auto last = static_cast<std::uint32_t>(order.lines.size() - 1);
    for (Line& line : order.lines) line.position = last - line.position;
    return order;
}

std::string differences(const Case& c) {
    Difference difference;
    const Program program = compile(c.tree, 1);
    CalculationOptions options;
    options.is_credited = [](std::string_view credit_on) { return credit_on == "new"; };
    options.traces_refusals = true;
    const Order order = order_for(program, c);
    const Calculation calculation = calculate(program, order, options);
    if (!calculation.optimal) difference.fail("not optimal");
    const oracle::Result got = as_oracle_result(program, order, calculation);
    compare(oracle::calculate(c.tree, c.order, c.facts), got, order, difference);
    check_sums(order, calculation, difference);
    check_max_discounts(c, got, difference);
    check_floors(c, calculation, difference);
    check_balances(c, calculation, difference);
    check_statuses(c, program, calculation, difference);
    if (explain(program, order, calculation).size() <= program.promotions.size())
        difference.fail("not every promotion is explained");
    if (!looks_at_positions(c.tree)) {
        const Order other = permuted(order);
        if (!(as_oracle_result(program, other, calculate(program, other, options)) == got))
            difference.fail("a permutation of the lines changes figures");
    }
    return difference.text();
}

// What goes wrong with a case, if anything: a difference or an exception.
std::string problem(const Case& c) {
    try {
        return differences(c);
    } catch (const Error& error) {
        return "  error " + error.sqlstate() + ": " + error.message() + " " + error.detail() + "\n";
    } catch (const std::exception& error) {
        return std::string("  exception: ") + error.what() + "\n";
    }
}

// --- Making a failing case smaller
// ----------------------------------------------------------------------------------------

// All cases that are a little simpler than `c`.
std::vector<Case> simpler(const Case& c) {
    std::vector<Case> result;
    const auto add = [&](auto change) {
        Case other = c;
        change(other);
        result.push_back(std::move(other));
    };
    for (std::size_t i = 0; i < c.tree.promotions.size(); ++i) {
        add([&](Case& o) { o.tree.promotions.erase(o.tree.promotions.begin() + static_cast<std::ptrdiff_t>(i)); });
        const auto& conditions = c.tree.promotions[i].conditions;
        for (std::size_t k = 0; k < conditions.size(); ++k) {
            if (conditions.size() > 1) {
                add([&](Case& o) {
                    auto& list = o.tree.promotions[i].conditions;
                    list.erase(list.begin() + static_cast<std::ptrdiff_t>(k));
                });
            }
            if (conditions[k].mode != ConditionMode::all) {
                add([&](Case& o) {
                    o.tree.promotions[i].conditions[k].mode = ConditionMode::all;
                    o.tree.promotions[i].conditions[k].segments.clear();
                });
            }
            for (std::size_t b = 0; conditions[k].benefits.size() > 1 && b < conditions[k].benefits.size(); ++b) {
                add([&](Case& o) {
                    auto& list = o.tree.promotions[i].conditions[k].benefits;
                    list.erase(list.begin() + static_cast<std::ptrdiff_t>(b));
                });
            }
        }
        const TreePromotion& promotion = c.tree.promotions[i];
        if (promotion.minimum.any()) add([&](Case& o) { o.tree.promotions[i].minimum = {}; });
        for (std::size_t k = 0; k < conditions.size(); ++k) {
            if (conditions[k].minimum.any()) add([&](Case& o) { o.tree.promotions[i].conditions[k].minimum = {}; });
            if (conditions[k].untouched) add([&](Case& o) { o.tree.promotions[i].conditions[k].untouched = false; });
        }
        if (c.tree.promotions[i].parent != "main") {
            add([&](Case& o) { o.tree.promotions[i].parent = ancestors(o.tree, o.tree.promotions[i].parent).at(1); });
        }
        if (c.tree.promotions[i].benefit_rule == BenefitRule::parallel) {
            add([&](Case& o) { o.tree.promotions[i].benefit_rule = BenefitRule::sequential; });
        }
    }
    for (std::size_t i = 0; i < c.tree.groups.size(); ++i) {
        const TreeGroup& group = c.tree.groups[i];
        const auto is_child = [&](const auto& node) { return node.parent == group.id; };
        if (std::none_of(c.tree.groups.begin(), c.tree.groups.end(), is_child) &&
            std::none_of(c.tree.promotions.begin(), c.tree.promotions.end(), is_child) && i > 0) {
            add([&](Case& o) { o.tree.groups.erase(o.tree.groups.begin() + static_cast<std::ptrdiff_t>(i)); });
        }
        if (group.arbitration != Arbitration::consistent)
            add([&](Case& o) { o.tree.groups[i].arbitration = Arbitration::consistent; });
        if (group.max_discount_amount) add([&](Case& o) { o.tree.groups[i].max_discount_amount.reset(); });
        if (group.max_discount_percent) add([&](Case& o) { o.tree.groups[i].max_discount_percent.reset(); });
        if (group.min_product_price_amount) add([&](Case& o) { o.tree.groups[i].min_product_price_amount.reset(); });
        if (group.min_product_price_percent) add([&](Case& o) { o.tree.groups[i].min_product_price_percent.reset(); });
    }
    for (std::size_t i = 0; i < c.order.lines.size(); ++i) {
        const Line& line = c.order.lines[i];
        if (c.order.lines.size() > 1) {
            add([&](Case& o) {
                o.order.lines.erase(o.order.lines.begin() + static_cast<std::ptrdiff_t>(i));
                if (i < o.facts.fields.size())
                    o.facts.fields.erase(o.facts.fields.begin() + static_cast<std::ptrdiff_t>(i));
            });
        }
        if (line.min_price) add([&](Case& o) { o.order.lines[i].min_price.reset(); });
        if (!line.segments.empty()) add([&](Case& o) { o.order.lines[i].segments.clear(); });
        if (line.quantity != one_unit) {
            add([&](Case& o) {
                o.order.lines[i].quantity = one_unit;
                o.order.lines[i].base = times(o.order.lines[i].price, one_unit);
            });
        }
    }
    if (!c.order.shipping.is_zero()) add([](Case& o) { o.order.shipping = {}; });
    for (std::size_t i = 0; i < c.order.redeem.size(); ++i) {
        add([&](Case& o) { o.order.redeem.erase(o.order.redeem.begin() + static_cast<std::ptrdiff_t>(i)); });
        if (c.order.redeem[i].amount) add([&](Case& o) { o.order.redeem[i].amount.reset(); });
    }
    return result;
}

Case smallest_failing(Case c) {
    for (bool found = true; found;) {
        found = false;
        for (Case& other : simpler(c)) {
            if (problem(other).empty()) continue;
            c = std::move(other);
            found = true;
            break;
        }
    }
    return c;
}

// Each case has a generator of its own, so that it can be repeated alone.
template <class Make>
void check_cases(std::uint64_t cases, Make make) {
    const std::uint64_t seed = setting("LOYALTY_SEED", 20261122);
    const std::uint64_t first = setting("LOYALTY_CASE", 0);
    const std::uint64_t most_failures = setting("LOYALTY_FAILURES", 3);
    std::uint64_t failures = 0;
    for (std::uint64_t number = first; number < first + setting("LOYALTY_CASES", cases) && failures < most_failures;
         ++number) {
        std::seed_seq sequence{seed, number};
        std::mt19937_64 random(sequence);
        const Case c = make(random, number);
        if (problem(c).empty()) continue;
        ++failures;
        const Case small = smallest_failing(c);
        ADD_FAILURE() << "repeat with LOYALTY_SEED=" << seed << " LOYALTY_CASE=" << number << " LOYALTY_CASES=1\n"
                      << to_string(small) << "differences:\n"
                      << problem(small);
    }
}

// Under the sanitizers a case takes about ten times as long.
#ifdef __SANITIZE_ADDRESS__
constexpr std::uint64_t full_size_cases = 3'000, search_cases = 1'500, condition_cases = 10'000, limit_cases = 2'000;
#else
constexpr std::uint64_t full_size_cases = 100'000, search_cases = 20'000, condition_cases = 200'000,
                        limit_cases = 100'000;
#endif

// The first cases are small, so that a mistake shows in a small case if it can.
TEST(Property, EngineEqualsOracle) {
    static constexpr std::uint64_t of_each_size = 200, sizes = 12;
    check_cases(of_each_size * (sizes - 1) + full_size_cases, [](std::mt19937_64& random, std::uint64_t number) {
        return random_case(random, static_cast<int>(std::min(sizes, 1 + number / of_each_size)));
    });
}

// One promotion in all ways restricted, on any day of a century: whether it takes part, and the first reason why not.
TEST(Property, ConditionsAreJudgedAsDefined) {
    check_cases(condition_cases, [](std::mt19937_64& random, std::uint64_t) {
        build::TreeBuilder builder;
        add_segments(builder.tree);
        Case c;
        c.order = build::OrderBuilder().line("a", 100).get();
        if (random() % 5 > 0) c.order.buyer.kind = BuyerKind::member;
        c.facts.fields.resize(1);
        c.facts.today = static_cast<std::int32_t>(365 + random() % 36'525);
        place(random, c.order, c.facts);
        restrict(random,
                 builder.promotion("p", {build::on_products({build::benefit("discount", {{"percent", "10"}})})}),
                 c.order);
        c.tree = builder.tree;
        return c;
    });
}

TEST(Property, SearchIsExact) {
    check_cases(search_cases, [](std::mt19937_64& random, std::uint64_t) { return random_search_case(random); });
}

TEST(Property, SearchByLineIsExact) {
    check_cases(search_cases / 2, [](std::mt19937_64& random, std::uint64_t) { return random_lowering_case(random); });
}

TEST(Property, SearchOfMixturesIsExact) {
    check_cases(search_cases / 4, [](std::mt19937_64& random, std::uint64_t) { return random_mixture(random); });
}

TEST(Property, SearchOfPicksIsExact) {
    check_cases(search_cases / 2, [](std::mt19937_64& random, std::uint64_t) { return random_picking_case(random); });
}

// --- At its limit
// ---------------------------------------------------------------------------------------------------------

int128 worth_of(const Program& program, const Calculation& calculation) {
    int128 worth = int128{(calculation.all().base - calculation.total).units} * program.value_denominator;
    for (std::size_t type = 0; type < program.point_types.size(); ++type) {
        const PointsResult& points = calculation.points[type];
        worth += int128{(points.accrued + points.pending).units} * program.point_types[type].value;
    }
    return worth;
}

// Main with one of its children only, or with all of them, combined in another way.
Tree simple(Tree tree, Arbitration arbitration, const std::string& only) {
    tree.groups.front().arbitration = arbitration;
    if (only.empty()) return tree;
    const Tree whole = tree;
    const auto is_elsewhere = [&](const auto& node) {
        std::string top = node.id;
        for (const std::string& parent : ancestors(whole, node.parent)) {
            if (parent != "main") top = parent;
        }
        return top != "main" && top != only;
    };
    std::erase_if(tree.groups, is_elsewhere);
    std::erase_if(tree.promotions, is_elsewhere);
    return tree;
}

// What `tree` is worth to the case's order; nothing if it is refused, as what cannot be summed is.
std::optional<int128> worth_of(const Case& c, const Tree& tree, const CalculationOptions& options) {
    try {
        const Program program = compile(tree, 1);
        return worth_of(program, calculate(program, order_for(program, {tree, c.order, c.facts}), options));
    } catch (const Error& error) {
        if (error.sqlstate() == sqlstate::wrong_combination) return std::nullopt;
        throw;
    }
}

// Wherever a search ends, its answer is worth no less than nothing, any single child, all of them in order, and their
// sum.
TEST(Property, ASearchAtItsLimitIsWorthWhatIsSimple) {
    const std::uint64_t cases = setting("LOYALTY_CASES", limit_cases), first = setting("LOYALTY_CASE", 0);
    std::uint64_t ended = 0;
    for (std::uint64_t number = first; number < first + cases && !HasFailure(); ++number) {
        std::seed_seq sequence{setting("LOYALTY_SEED", 20261122), number};
        std::mt19937_64 random(sequence);
        const Case c = number % 4 == 0   ? random_search_case(random)
                       : number % 4 == 1 ? random_lowering_case(random)
                       : number % 4 == 2 ? random_mixture(random)
                                         : random_picking_case(random);
        const bool is_nested = std::count_if(c.tree.groups.begin(), c.tree.groups.end(), [](const TreeGroup& group) {
                                   return group.arbitration == Arbitration::max_benefit;
                               }) > 1;
        CalculationOptions options;
        options.is_credited = [](std::string_view) { return true; };
        options.children_in_full = 0;
        // Searches below have to end as early in what is compared.
        options.search_steps = is_nested ? 0 : std::uniform_int_distribution<int>(0, 100)(random);
        const Program program = compile(c.tree, 1);
        const Calculation calculation = calculate(program, order_for(program, c), options);
        const int128 worth = worth_of(program, calculation);
        ended += calculation.optimal ? 0 : 1;
        const auto check = [&](const std::string& what, const std::optional<int128>& least) {
            EXPECT_TRUE(!least || worth >= *least) << "less than " << what << ", case " << number << "\n"
                                                   << to_string(c);
        };
        check("nothing", 0);
        check("all in order", worth_of(c, simple(c.tree, Arbitration::consistent, ""), options));
        check("the sum", worth_of(c, simple(c.tree, Arbitration::summation, ""), options));
        for (const TreePromotion& child : c.tree.promotions) {
            if (child.parent == "main")
                check(child.id, worth_of(c, simple(c.tree, Arbitration::consistent, child.id), options));
        }
        for (const TreeGroup& child : c.tree.groups) {
            if (child.parent == "main")
                check(child.id, worth_of(c, simple(c.tree, Arbitration::consistent, child.id), options));
        }
    }
    EXPECT_GT(ended, cases / 4);
}

// --- Returns
// --------------------------------------------------------------------------------------------------------------

// A line of an order whose units come back bit by bit, with the figures that it carries: money, and points earned on
// it.
struct Returned {
    Quantity quantity, so_far{};
    std::vector<std::int64_t> figures;
    std::vector<std::int64_t> given_back{};
    int steps = 0;

    // Some more units, at times a part of one, or all that is left; each figure has then given back its share, to half
    // of a unit.
    bool step(std::mt19937_64& random) {
        const std::int64_t left = (quantity - so_far).units;
        std::int64_t more = std::min(left, one_unit.units * std::uniform_int_distribution<std::int64_t>(1, 2)(random));
        if (random() % 4 == 0) more = std::uniform_int_distribution<std::int64_t>(1, left)(random);
        if (++steps == 8) more = left;
        const ReturnedUnits units{quantity, so_far, so_far + Quantity{more}};
        bool fits = true;
        for (std::size_t i = 0; i < figures.size(); ++i) {
            given_back[i] += part_of(figures[i], units);
            const int128 off = static_cast<int128>(given_back[i]) * quantity.units -
                               static_cast<int128>(figures[i]) * units.after.units;
            fits = fits && 2 * (off < 0 ? -off : off) <= quantity.units && given_back[i] <= figures[i];
        }
        so_far = units.after;
        return fits;
    }
    bool is_gone() const { return so_far == quantity; }
};

// Whatever comes back in whatever sequence: never more than its share, and in the end exactly what was paid and earned,
// with every benefit in the orders.
TEST(Property, ReturnsGiveBackWhatWasPaid) {
    const std::uint64_t seed = setting("LOYALTY_SEED", 20261122), first = setting("LOYALTY_CASE", 0);
    for (std::uint64_t number = first; number < first + setting("LOYALTY_CASES", full_size_cases / 20); ++number) {
        std::seed_seq sequence{seed, number, std::uint64_t{43}};
        std::mt19937_64 random(sequence);
        const Case c = random_case(random, 12);
        const Program program = compile(c.tree, 1);
        const Order order = order_for(program, c);
        CalculationOptions options;
        options.is_credited = [](std::string_view) { return true; };
        const Calculation calculation = calculate(program, order, options);
        std::vector<Returned> lines;
        for (std::size_t i = 0; i < order.lines.size(); ++i)
            lines.push_back({order.lines[i].quantity, {}, {calculation.lines[i].total.units}});
        for (const Operation& operation : calculation.operations) {
            if (operation.entry.kind == Entry::Kind::accrual && operation.entry.target == Entry::Target::line)
                lines[operation.entry.line].figures.push_back(operation.entry.points.units);
        }
        for (Returned& line : lines) line.given_back.resize(line.figures.size());
        bool fits = true;
        for (auto line = random() % lines.size();
             !std::all_of(lines.begin(), lines.end(), [](const Returned& l) { return l.is_gone(); });
             line = random() % lines.size()) {
            if (!lines[line].is_gone()) fits = lines[line].step(random) && fits;
        }
        std::int64_t money = calculation.shipping.total.units;
        for (const Returned& line : lines) {
            fits = fits && line.given_back == line.figures;
            money += line.given_back.front();
        }
        EXPECT_TRUE(fits && money == calculation.total.units)
            << "repeat with LOYALTY_SEED=" << seed << " LOYALTY_CASE=" << number << " LOYALTY_CASES=1\n"
            << to_string(c);
        if (HasFailure()) return;
    }
}

}  // namespace
}  // namespace loyalty
