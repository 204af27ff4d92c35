#include "core/calculate/candidates.hpp"

#include "core/calculate/conditions.hpp"
#include "core/error.hpp"

#include <algorithm>

namespace loyalty {

namespace {

class Search {
public:
    Search(const Program& program, const Order& order)
        : program_(program), order_(order), judged_(program.promotions.size()) {
        candidates_.lines = LinesByCondition(program.conditions.size());
        candidates_.met.resize(program.conditions.size());
        candidates_.refused.assign(program.promotions.size(), Reason::no_matching_line);
    }

    Candidates run() {
        for (std::uint32_t line = 0; line < order_.lines.size(); line++) meet_segments_of(line);
        for (const Index condition : program_.open_conditions) meet_open(condition);
        for (const Index condition : opened()) meet_open(condition);
        judge_minimums();
        std::sort(met_.begin(), met_.end());
        candidates_.main.is_group = true;
        candidates_.main.index = 0;
        for (const Index promotion : met_) grow_branch(promotion);
        check_size();
        return std::move(candidates_);
    }

private:
    void meet_segments_of(std::uint32_t line) {
        for (const auto segment : order_.lines[line].segments) {
            for (const Index condition : program_.conditions_of_segment[segment]) {
                if (!admits(program_.conditions[condition].promotion)) continue;
                auto& lines = candidates_.lines.of(condition);
                // A line may belong to several segments of one condition.
                if (lines.empty() || lines.back() != line) lines.push_back(line);
                meet_lines(condition);
            }
        }
    }

    // The conditions that this order's codes, tiers and segments give access to.
    std::vector<Index> opened() const {
        std::vector<Index> found;
        const auto add = [&](const std::vector<std::vector<Index>>& conditions,
                             const std::vector<std::uint32_t>& keys) {
            for (const auto key : keys) found.insert(found.end(), conditions[key].begin(), conditions[key].end());
        };
        add(program_.conditions_of_pool, order_.pools);
        add(program_.conditions_of_tier, order_.buyer.tiers);
        add(program_.conditions_of_profile_segment, order_.buyer.segments);
        add(program_.conditions_of_order_segment, order_.segments);
        std::sort(found.begin(), found.end());
        found.erase(std::unique(found.begin(), found.end()), found.end());
        return found;
    }

    void meet_open(Index index) {
        const Condition& condition = program_.conditions[index];
        if (!admits(condition.promotion)) return;
        if (condition.level == Level::order) {
            if (holds(condition, order_)) meet(index);
            return;
        }
        auto lines = matching_lines(condition, order_);
        if (lines.empty()) return;
        candidates_.lines.of(index) = std::move(lines);
        meet_lines(index);
    }

    // What a condition's lines come to is known when all of them are found.
    void meet_lines(Index condition) {
        if (!program_.conditions[condition].minimum.any()) {
            meet(condition);
        } else if (with_minimum_.empty() || with_minimum_.back() != condition) {
            with_minimum_.push_back(condition);
        }
    }

    void judge_minimums() {
        for (const Index condition : with_minimum_) {
            auto& lines = candidates_.lines.of(condition);
            if (reaches(program_, program_.conditions[condition].minimum, goods_of(order_, lines))) {
                meet(condition);
            } else {
                lines.clear();
            }
        }
    }

    // Whether nothing keeps the promotion from taking part; asked once for each that is met.
    bool admits(Index promotion) {
        Reason& refused = candidates_.refused[promotion];
        if (!judged_[promotion]) {
            judged_[promotion] = true;
            const Reason obstacle = find_obstacle(program_, promotion, order_);
            if (obstacle != Reason::none) refused = obstacle;
        }
        return refused == Reason::no_matching_line || refused == Reason::none;
    }

    void meet(Index condition) {
        candidates_.met[condition] = true;
        const Index promotion = program_.conditions[condition].promotion;
        Reason& refused = candidates_.refused[promotion];
        if (refused == Reason::none) return;
        refused = Reason::none;
        met_.push_back(promotion);
    }

    void check_size() const {
        std::size_t effects = 0;
        for (const Index index : met_) {
            const Promotion& promotion = program_.promotions[index];
            for (Index c = promotion.first_condition; c < promotion.last_condition; c++) {
                const Condition& condition = program_.conditions[c];
                const std::size_t lines =
                    condition.level == Level::product ? candidates_.lines[c].size() : order_.lines.size();
                effects += lines * (condition.last_benefit - condition.first_benefit);
            }
        }
        if (effects <= max_effects) return;
        throw Error(sqlstate::calculation_too_large, "the calculation is too large",
                    "Benefits apply to " + std::to_string(effects) + " lines, counting each line for each benefit.",
                    "At most " + std::to_string(max_effects) +
                        " are calculated: split the order, or let fewer promotions apply to all of its lines.");
    }

    // Promotions are numbered in tree order, so each one hangs on the branch that the one before it grew, or on a new
    // one to the right of it.
    void grow_branch(Index promotion) {
        std::vector<Index> path;
        for (Index group = program_.promotions[promotion].parent; group != 0; group = program_.groups[group].parent) {
            path.push_back(group);
        }
        CandidateNode* node = &candidates_.main;
        for (auto group = path.rbegin(); group != path.rend(); ++group) {
            if (node->children.empty() || !node->children.back().is_group || node->children.back().index != *group) {
                node->children.push_back({true, *group, {}});
            }
            node = &node->children.back();
        }
        node->children.push_back({false, promotion, {}});
    }

    const Program& program_;
    const Order& order_;
    Candidates candidates_;
    std::vector<bool> judged_;  // per promotion: whether it was asked for an obstacle
    std::vector<Index> met_;
    std::vector<Index> with_minimum_;  // conditions that have lines, some more than once
};

}  // namespace

Candidates find_candidates(const Program& program, const Order& order) { return Search(program, order).run(); }

}  // namespace loyalty
