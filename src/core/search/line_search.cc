#include "core/search/line_search.hpp"

#include <algorithm>

namespace loyalty {

namespace {

using Prices = std::vector<Money>;  // by unit group

// What the children do to the unit groups of the state.
class Cuts {
public:
    Cuts(const SearchProblem& problem, const Chosen& children) : problem_(problem) {
        for (const auto& group : problem.state.groups) before_.push_back(group.total);
        for (const auto child : children) {
            cuts_.emplace_back(before_.size());
            only_lower_ = only_lower_ && add(*problem.children[child], *problem.scope.enclosing);
        }
    }

    bool only_lower() const { return only_lower_; }
    const Prices& before() const { return before_; }
    std::size_t children() const { return cuts_.size(); }
    std::size_t groups() const { return before_.size(); }

    Money after(std::size_t child, std::size_t group, Money price) const {
        for (const auto& cut : cuts_[child][group]) price -= taken(cut, group, price);
        return price;
    }

    Prices after(std::size_t child, Prices prices) const {
        for (std::size_t group = 0; group < prices.size(); group++) prices[group] = after(child, group, prices[group]);
        return prices;
    }

    // The highest price, up to that before all children, that the child brings down to `price`.
    Money highest_before(std::size_t child, std::size_t group, Money price) const {
        if (cuts_[child][group].empty()) return price;
        Money low = price, high = before_[group];
        while (low < high) {
            const Money middle{high.units - (high.units - low.units) / 2};
            if (after(child, group, middle) <= price) {
                low = middle;
            } else {
                high = middle - Money{1};
            }
        }
        return low;
    }

private:
    struct Cut {
        const Benefit* rule;
        Money floor;
    };

    Money taken(const Cut& cut, std::size_t group, Money price) const {
        const UnitGroup& units = problem_.state.groups[group];
        const Line& line = problem_.order().lines[units.line];
        return std::min(std::max(Money{}, price - cut.floor),
                        *cut.rule->cut(problem_.program(), line, price, units.quantity()));
    }

    bool add(const CandidateNode& node, const Enclosing& enclosing) {
        if (!node.is_group) return add_promotion(node, enclosing);
        const Group& group = problem_.program().groups[node.index];
        if (group.arbitration != Arbitration::consistent) return false;
        if (group.limits.max_discount_share || group.limits.max_discount_amount) return false;
        const Enclosing inner{&enclosing, &group, std::nullopt};
        return std::all_of(node.children.begin(), node.children.end(),
                           [&](const CandidateNode& child) { return add(child, inner); });
    }

    bool add_promotion(const CandidateNode& node, const Enclosing& enclosing) {
        if (problem_.program().promotions[node.index].benefit_rule == BenefitRule::parallel) return false;
        if (looks_at_reductions(node.index) || asks_at_current_prices(problem_.program(), node.index)) return false;
        const Allowance* allowance = find_allowance(problem_.order(), node.index);
        if (allowance && allowance->money) return false;
        bool only_lower = true;
        for_each_benefit(problem_.program(), node, [&](Index benefit) {
            only_lower = only_lower && !problem_.is_on_order(benefit) && add_benefit(benefit, enclosing);
        });
        return only_lower;
    }

    // Whether what it does to a price depends on how that came about.
    bool looks_at_reductions(Index promotion) const {
        const auto& conditions = problem_.program().conditions;
        const Promotion& of = problem_.program().promotions[promotion];
        return std::any_of(conditions.begin() + of.first_condition, conditions.begin() + of.last_condition,
                           [](const Condition& condition) { return condition.untouched; });
    }

    bool add_benefit(Index benefit, const Enclosing& enclosing) {
        const Benefit& rule = *problem_.program().benefits[benefit].rule;
        const State& state = problem_.state;
        for (const auto line : problem_.visible_lines(benefit)) {
            for (auto g = state.first_group(line); g < state.groups.size() && state.groups[g].line == line; g++) {
                const UnitGroup& units = state.groups[g];
                if (!problem_.is_free(units)) continue;
                if (!rule.cut(problem_.program(), problem_.order().lines[line], units.total, units.quantity()))
                    return false;
                cuts_.back()[g].push_back({&rule, problem_.arbiter.bounds().floor(line, units.quantity(), enclosing)});
            }
        }
        return true;
    }

    const SearchProblem& problem_;
    Prices before_;
    std::vector<std::vector<std::vector<Cut>>> cuts_;  // by child and unit group, in the order of doing
    bool only_lower_ = true;
};

class LineSearch {
public:
    LineSearch(const SearchProblem& problem, const Chosen& children, const Cuts& cuts,
               const std::optional<Merit>& to_beat)
        : problem_(problem), children_(children), cuts_(cuts), to_beat_(to_beat) {}

    // Nothing if a maximum discount binds.
    std::optional<Found> run() {
        Prices lowest = cuts_.before();
        for (std::size_t child = 0; child < cuts_.children(); child++) lowest = cuts_.after(child, std::move(lowest));
        Money reduction;
        for (std::size_t group = 0; group < lowest.size(); group++) reduction += cuts_.before()[group] - lowest[group];
        const Bounds& bounds = problem_.arbiter.bounds();
        if (reduction > bounds.reduction_left(problem_.state, *problem_.scope.enclosing)) return std::nullopt;
        worth_ = problem_.worth_of(reduction);
        found_.bound = worth_;
        if (to_beat_ && worth_ < to_beat_->worth) {
            found_.bound = to_beat_->worth;
            return std::move(found_);
        }
        find_needed(std::move(lowest));
        find_fewest();
        return std::move(found_);
    }

private:
    // Highest prices from which the lowest can still be reached: by the next child, then by unit group.
    using Limits = std::vector<Prices>;

    // Which children the others cannot replace, even all together.
    void find_needed(Prices lowest) {
        const std::size_t size = cuts_.children();
        needed_.assign(size, true);
        Limits limits(size + 1, lowest);
        for (std::size_t child = size; child-- > 0;) limits[child] = before(child, limits[child + 1]);
        Prices prices = cuts_.before();
        for (std::size_t child = 0; child < size; child++) {
            needed_[child] = !reach(prices, limits[child + 1]);
            prices = cuts_.after(child, std::move(prices));
        }
        // With no other child than those.
        Limits needed_only(size + 1, std::move(lowest));
        for (std::size_t child = size; child-- > 0;) {
            needed_only[child] = needed_[child] ? before(child, needed_only[child + 1]) : needed_only[child + 1];
        }
        limits_.push_back(std::move(needed_only));
    }

    Prices before(std::size_t child, const Prices& prices) const {
        problem_.arbiter.work().add(Step::price, 4 * prices.size());
        Prices result;
        for (std::size_t group = 0; group < prices.size(); group++)
            result.push_back(cuts_.highest_before(child, group, prices[group]));
        return result;
    }

    // From the limits with k children that are not needed to those with k + 1.
    void allow_one_more() {
        const std::size_t size = cuts_.children();
        const Limits& fewer = limits_.back();
        Limits more(size + 1, fewer.back());
        for (std::size_t child = size; child-- > 0;) {
            problem_.arbiter.work().add(Step::price, cuts_.groups());
            if (needed_[child]) {
                more[child] = before(child, more[child + 1]);
                continue;
            }
            more[child] = more[child + 1];
            for (std::size_t group = 0; group < more[child].size(); group++) {
                Money& limit = more[child][group];
                const Money with = fewer[child + 1][group];
                // Most children are no help here, and one look tells.
                if (limit < cuts_.before()[group] && cuts_.after(child, group, limit + Money{1}) <= with)
                    limit = cuts_.highest_before(child, group, with);
            }
        }
        limits_.push_back(std::move(more));
    }

    static bool reach(const Prices& prices, const Prices& limits) {
        return std::equal(prices.begin(), prices.end(), limits.begin(), [](Money a, Money b) { return a <= b; });
    }

    void find_fewest() {
        const auto needed = static_cast<std::size_t>(std::count(needed_.begin(), needed_.end(), true));
        for (std::size_t more = 0; needed + more <= cuts_.children(); more++) {
            if (to_beat_ && to_beat_->worth == worth_ && to_beat_->paid.is_zero() &&
                needed + more > to_beat_->children.size())
                return;
            if (more > 0) allow_one_more();
            if (descend(0, more, cuts_.before()) || !found_.complete) break;
        }
        found_.best = Merit{worth_, Money{}, false, std::move(chosen_)};
    }

    // Whether `more` children that are not needed, from `next` on, and the needed ones bring all prices down.
    bool descend(std::size_t next, std::size_t more, const Prices& prices) {
        problem_.arbiter.work().add(Step::price, 2 * prices.size());
        if (!reach(prices, limits_[more][next])) return false;
        if (next == cuts_.children()) return true;
        if (problem_.arbiter.work().search_exhausted()) return give_up();
        if (needed_[next] || more > 0) {
            chosen_.push_back(children_[next]);
            if (descend(next + 1, needed_[next] ? more : more - 1, cuts_.after(next, prices))) return true;
            if (!found_.complete) return false;
            chosen_.pop_back();
        }
        return !needed_[next] && descend(next + 1, more, prices);
    }

    // All children are worth most, too.
    bool give_up() {
        found_.complete = false;
        chosen_ = children_;
        return false;
    }

    const SearchProblem& problem_;
    const Chosen& children_;
    const Cuts& cuts_;
    const std::optional<Merit>& to_beat_;
    Worth worth_ = 0;
    std::vector<bool> needed_;
    std::vector<Limits> limits_;  // by how many children that are not needed
    Chosen chosen_;
    Found found_;
};

}  // namespace

std::optional<Found> search_by_line(const SearchProblem& problem, const Chosen& children,
                                    const std::optional<Merit>& to_beat) {
    const Cuts cuts(problem, children);
    if (!cuts.only_lower()) return std::nullopt;
    return LineSearch(problem, children, cuts, to_beat).run();
}

}  // namespace loyalty
