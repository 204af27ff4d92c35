#include "core/calculate/calculate.hpp"

#include "core/calculate/arbitration.hpp"
#include "core/calculate/candidates.hpp"
#include "core/calculate/commit.hpp"
#include "core/calculate/conditions.hpp"
#include "core/calculate/redeem.hpp"
#include "core/calculate/template.hpp"
#include "core/calculate/work.hpp"
#include "core/error.hpp"
#include "core/money/allot.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace loyalty {

namespace {

// One operation per benefit, target and kind: what a benefit did to the unit groups of a line is one figure outside.
// Points that are credited by other terms are another.
std::vector<Operation> operations_of(const Entries& entries, Work& work) {
    std::vector<Operation> operations;
    std::map<std::tuple<std::uint32_t, Entry::Target, std::uint32_t, std::uint32_t>, std::size_t> place;
    for (const auto& entry : entries) {
        work.add(Step::part);
        if (entry.is_of_gift()) continue;
        const auto [found, is_new] =
            place.try_emplace({entry.benefit, entry.target, entry.line, entry.like}, operations.size());
        if (is_new) operations.push_back({entry, Points{}, Quantity{}, false, {}});
        operations[found->second].units += entry.to - entry.from;
        if (is_new) continue;
        Entry& sum = operations[found->second].entry;
        sum.found += entry.found;
        sum.bought = sum.bought && entry.bought;
        sum.asked += entry.asked;
        sum.applied += entry.applied;
        sum.points += entry.points;
        sum.cut_by |= entry.cut_by;
        sum.points_cut += entry.points_cut;
    }
    return operations;
}

// In the order of entries, in which a gift's lines follow it.
std::vector<GiftResult> gifts_of(const Entries& entries) {
    std::vector<GiftResult> gifts;
    for (const auto& entry : entries) {
        if (entry.is_gift()) gifts.push_back({entry.benefit, entry.given, entry.worth, entry.sets, {}});
        if (entry.is_of_gift()) gifts.back().lines.push_back({entry.line, entry.given});
    }
    return gifts;
}

// Points spent: rounded up once for all of the order, each operation showing its increment, never more than there are.
// The last one rounds up to the type's step.
void spend(const Program& program, const Order& order, Calculation& result) {
    std::vector<Money> paid(program.point_types.size());
    std::vector<Operation*> last(program.point_types.size());
    for (auto& operation : result.operations) {
        const Entry& entry = operation.entry;
        if (entry.kind != Entry::Kind::paid_by_points) continue;
        Money& so_far = paid[entry.point_type];
        so_far += entry.applied;
        Points needed{scaled(so_far.units, program.point_types[entry.point_type].points_per_money, Rounding::up)};
        needed = std::min(needed, points_offered(order, entry.point_type).value_or(needed));
        PointsResult& points = result.points[entry.point_type];
        operation.spent = needed - points.spent;
        points.spent = needed;
        if (!entry.applied.is_zero()) last[entry.point_type] = &operation;
    }
    for (std::size_t type = 0; type < last.size(); type++) {
        if (!last[type] || program.point_types[type].redeem_step.is_zero()) continue;
        const Points rest = points_for(program.point_types[type], paid[type]) - result.points[type].spent;
        last[type]->spent += rest;
        result.points[type].spent += rest;
    }
}

// Deductions take what is left of the active balance, those of one benefit in proportion.
void deduct(const Order& order, Calculation& result) {
    auto& operations = result.operations;
    for (auto first = operations.begin(); first != operations.end();) {
        const Entry& entry = first->entry;
        const auto last = std::find_if(first, operations.end(), [&](const Operation& operation) {
            return operation.entry.benefit != entry.benefit || operation.entry.kind != entry.kind;
        });
        if (entry.kind == Entry::Kind::deduction) {
            PointsResult& points = result.points[entry.point_type];
            const Points left = order.buyer.balances[entry.point_type].active - points.spent;
            std::vector<std::int64_t> asked;
            Points sum;
            for (auto operation = first; operation != last; ++operation) {
                asked.push_back(operation->entry.points.units);
                sum += operation->entry.points;
            }
            const auto shares = allot(std::clamp(left, Points{}, sum).units, asked);
            for (auto operation = first; operation != last; ++operation) {
                operation->spent = Points{shares[static_cast<std::size_t>(operation - first)]};
                operation->entry.points_cut = operation->entry.points - operation->spent;
                operation->entry.cut_by.points = !operation->entry.points_cut.is_zero();
                operation->entry.points = operation->spent;
                points.spent += operation->spent;
            }
        }
        first = last;
    }
}

// A promotion that found nothing left to deduct, and did nothing else, had no effect.
void settle_deductions(const Program& program, Calculation& result) {
    const auto promotion_of = [&](const Operation& operation) {
        return program.conditions[program.benefits[operation.entry.benefit].condition].promotion;
    };
    std::map<Index, CutBy> idle;
    for (const Operation& operation : result.operations) {
        if (operation.entry.kind == Entry::Kind::deduction) idle[promotion_of(operation)] |= operation.entry.cut_by;
    }
    for (const Operation& operation : result.operations) {
        if (operation.entry.has_effect()) idle.erase(promotion_of(operation));
    }
    for (const auto& [promotion, cut_by] : idle) {
        NodeTrace& trace = result.trace.promotions[promotion];
        trace.reason = Reason::cut_by_limit;
        trace.cut_by = cut_by;
    }
}

// As the ledger books a credit: the debt is paid, then what is owed is settled.
void credit(PointsResult& points, const Balance& before, Points amount, bool delayed) {
    const Points repaid = std::min(amount, before.debt - (points.claimed - points.settled));
    const Points settled = std::min(amount - repaid, before.owed - points.settled);
    points.accrued += amount;
    points.claimed += repaid + settled;
    points.settled += settled;
    if (delayed) points.delayed += amount - repaid - settled;
}

void accrue(const Program& program, const Order& order, const CalculationOptions& options, Calculation& result) {
    for (auto& operation : result.operations) {
        const Entry& entry = operation.entry;
        if (entry.kind != Entry::Kind::accrual) continue;
        const Benefit& benefit = *program.benefits[entry.like].rule;
        PointsResult& points = result.points[entry.point_type];
        operation.pending = !options.is_credited(benefit.credit_on());
        if (operation.pending) {
            points.pending += entry.points;
        } else {
            credit(points, order.buyer.balances[entry.point_type], entry.points, !benefit.delay().empty());
        }
    }
}

void add_to(LineResult& line, const Entry& entry, bool order_level) {
    (entry.kind == Entry::Kind::money ? line.discount : line.points_discount) += entry.applied;
    if (order_level) line.allotted += entry.applied;
}

void add_lines(const Program& program, const Order& order, Calculation& result) {
    result.lines.resize(order.lines.size());
    for (std::size_t i = 0; i < order.lines.size(); i++) result.lines[i].base = order.lines[i].base;
    result.shipping.base = order.shipping;
    for (const auto& operation : result.operations) {
        const Entry& entry = operation.entry;
        if (entry.kind != Entry::Kind::money && entry.kind != Entry::Kind::paid_by_points) continue;
        const bool order_level = program.conditions[program.benefits[entry.benefit].condition].level == Level::order;
        add_to(entry.target == Entry::Target::shipping ? result.shipping : result.lines[entry.line], entry,
               order_level);
    }
    const auto finish = [](LineResult& line) { line.total = line.base - line.discount - line.points_discount; };
    finish(result.shipping);
    for (auto& line : result.lines) {
        finish(line);
        result.goods.base += line.base;
        result.goods.discount += line.discount;
        result.goods.points_discount += line.points_discount;
        result.goods.allotted += line.allotted;
        result.goods.total += line.total;
    }
    result.total = result.goods.total + result.shipping.total;
}

// Texts are rendered last, when all figures are final.
void render_texts(const Program& program, const Order& order, Calculation& result) {
    std::size_t bytes = 0;
    for (auto& operation : result.operations) {
        const Template* text = program.benefits[operation.entry.benefit].rule->text();
        if (!text) continue;
        operation.text = text->render(program, order, result, operation.entry.line);
        bytes += operation.text.size();
        if (bytes <= max_text_bytes) continue;
        throw Error(sqlstate::calculation_too_large, "the texts of the calculation are too large",
                    "They have more than " + std::to_string(max_text_bytes) + " bytes together.",
                    "Shorten the templates, or the fields that they show; or split the order.");
    }
}

std::size_t count_benefits(const std::vector<Operation>& operations) {
    std::vector<std::uint32_t> benefits;
    for (const auto& operation : operations) {
        if (operation.entry.has_effect()) benefits.push_back(operation.entry.benefit);
    }
    std::sort(benefits.begin(), benefits.end());
    return static_cast<std::size_t>(std::unique(benefits.begin(), benefits.end()) - benefits.begin());
}

// Promotions that are no candidates get the first reason why. The search for candidates has come upon few of them.
void trace_refusals(const Program& program, const Order& order, const Candidates& candidates, Trace& trace) {
    for (std::size_t i = 0; i < program.promotions.size(); i++) {
        Reason& reason = trace.promotions[i].reason;
        reason = candidates.refused[i];
        if (reason != Reason::no_matching_line) continue;
        const Reason obstacle = find_obstacle(program, static_cast<Index>(i), order);
        reason = obstacle != Reason::none ? obstacle : unmet_reason(program, program.promotions[i], order);
    }
}

// A sum may leave nothing of what a promotion did on its own.
void trace_cuts(const Program& program, const std::vector<Operation>& operations, Trace& trace) {
    std::vector<bool> works(program.promotions.size()), told(program.promotions.size());
    for (std::size_t i = 0; i < told.size(); i++) told[i] = trace.promotions[i].reason != Reason::none;
    const auto promotion_of = [&](const Entry& entry) {
        return program.conditions[program.benefits[entry.benefit].condition].promotion;
    };
    for (const auto& operation : operations) {
        if (operation.entry.has_effect()) works[promotion_of(operation.entry)] = true;
    }
    for (const auto& operation : operations) {
        const Index promotion = promotion_of(operation.entry);
        NodeTrace& node = trace.promotions[promotion];
        if (works[promotion] || told[promotion]) continue;
        node.reason = Reason::cut_by_limit;
        node.asked += operation.entry.asked;
        node.cut_by |= operation.entry.cut_by;
    }
}

// Of the codes of one pool the first usable one is used, if a promotion behind it had an effect.
std::vector<PromoCodeStatus> use_promo_codes(const Program& program, const Order& order,
                                             const std::vector<Operation>& operations) {
    std::vector<PromoCodeStatus> statuses;
    if (order.promo_codes.empty()) return statuses;
    std::vector<bool> wanted(program.pools.size());
    for (const auto& operation : operations) {
        const Condition& condition = program.conditions[program.benefits[operation.entry.benefit].condition];
        const Index pool = program.promotions[condition.promotion].pool;
        if (pool != none && operation.entry.has_effect()) wanted[pool] = true;
    }
    for (const auto& code : order.promo_codes) {
        statuses.push_back(code.status);
        if (!code.usable() || code.pool == none || !wanted[code.pool]) continue;
        statuses.back() = PromoCodeStatus::used;
        wanted[code.pool] = false;
    }
    return statuses;
}

// Groups of type max_benefit in no other one.
std::int64_t count_searches(const Program& program, const CandidateNode& node) {
    if (!node.is_group) return 0;
    if (program.groups[node.index].arbitration == Arbitration::max_benefit) return 1;
    std::int64_t searches = 0;
    for (const auto& child : node.children) searches += count_searches(program, child);
    return searches;
}

}  // namespace

LineResult Calculation::all() const {
    LineResult sum = goods;
    sum.base += shipping.base;
    sum.discount += shipping.discount;
    sum.points_discount += shipping.points_discount;
    sum.allotted += shipping.allotted;
    sum.total = total;
    return sum;
}

namespace {

// The tree, run on the order.
Entries apply_tree(const Bounds& bounds, const Candidates& candidates, Work& work, const CalculationOptions& options,
                   Calculation& result) {
    const Program& program = bounds.program;
    result.trace = {};
    result.trace.groups.resize(program.groups.size());
    if (options.traces_refusals) trace_refusals(program, bounds.order, candidates, result.trace);
    State state(bounds.order, program.point_types.size());
    Arbiter arbiter(bounds, candidates, work, options.children_in_full);
    Entries entries = arbiter.run(state, result.trace);
    result.optimal = arbiter.optimal();
    return entries;
}

std::optional<Lowered> too_little_paid(const Bounds& bounds, const Entries& entries) {
    std::vector<Money> paid(bounds.program.point_types.size());
    for (const auto& entry : entries) {
        if (entry.kind == Entry::Kind::paid_by_points) paid[entry.point_type] += entry.applied;
    }
    return lowered_budget(bounds.program, bounds.order, paid);
}

// As the above, again and again, until the points that are spent are as many as may be.
Entries apply_tree_within_budgets(Bounds& bounds, const Candidates& candidates, Work& work,
                                  const CalculationOptions& options, Calculation& result) {
    // Each time a budget falls by a step or more, mostly once. What has not settled by then is not paid with points.
    constexpr int most_attempts = 8;
    for (int attempt = 1;; attempt++) {
        Entries entries = apply_tree(bounds, candidates, work, options, result);
        const auto lowered = too_little_paid(bounds, entries);
        if (!lowered) return entries;
        work.start_over();
        bounds.budgets[lowered->point_type] = attempt < most_attempts ? lowered->budget.money : Money{};
    }
}

}  // namespace

Calculation calculate(const Program& program, const Order& order, const CalculationOptions& options) {
    const Candidates candidates = find_candidates(program, order);
    Bounds bounds(program, order);
    Work work(options.check_interrupts, options.search_steps.value_or(program.search_limit),
              count_searches(program, candidates.main));

    Calculation result;
    result.points.resize(program.point_types.size());
    const Entries entries = apply_tree_within_budgets(bounds, candidates, work, options, result);
    result.operations = operations_of(entries, work);
    result.gifts = gifts_of(entries);
    // What follows goes through all operations, each time in a moment.
    const auto next = [&] { work.add(Step::part, result.operations.size()); };
    next();
    if (options.traces_refusals) trace_cuts(program, result.operations, result.trace);
    for (const auto& group : result.trace.groups) {
        if (group.evaluated && group.unproven) result.unproven.push_back(*group.unproven);
    }
    result.optimal = result.optimal && result.unproven.empty();

    next();
    spend(program, order, result);
    deduct(order, result);
    settle_deductions(program, result);
    next();
    accrue(program, order, options, result);
    next();
    add_lines(program, order, result);
    next();
    result.benefits = count_benefits(result.operations);
    next();
    result.promo_codes = use_promo_codes(program, order, result.operations);
    render_texts(program, order, result);
    next();
    result.steps = work.steps();
    return result;
}

}  // namespace loyalty
