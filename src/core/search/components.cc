#include "core/search/components.hpp"

#include "core/search/reach_bound.hpp"

#include <algorithm>
#include <map>
#include <numeric>

namespace loyalty {

namespace {

// Joins children that share something; a thing shared is a number.
class Sharing {
public:
    explicit Sharing(std::size_t children) : parent_(children) { std::iota(parent_.begin(), parent_.end(), 0U); }

    void shares(std::size_t child, std::size_t thing) {
        const auto [first, is_new] = first_.try_emplace(thing, child);
        if (!is_new) parent_[root(child)] = root(first->second);
    }

    std::vector<Chosen> components() {
        std::map<std::size_t, Chosen> by_root;
        for (std::size_t child = 0; child < parent_.size(); child++) by_root[root(child)].push_back(child);
        std::vector<Chosen> components;
        for (auto& [root, children] : by_root) components.push_back(std::move(children));
        return components;
    }

private:
    std::size_t root(std::size_t child) {
        while (parent_[child] != child) child = parent_[child] = parent_[parent_[child]];
        return child;
    }

    std::vector<std::size_t> parent_;
    std::map<std::size_t, std::size_t> first_;
};

}  // namespace

std::vector<Chosen> components(const SearchProblem& problem, ReachBound& reach) {
    const Program& program = problem.program();
    const std::size_t lines = problem.order().lines.size();
    const std::size_t shipping = lines, discount = lines + 1, everything = lines + 2, budget = lines + 3;
    const bool shares_discount = reach.may_exceed_discount(problem.state);
    std::vector<bool> shares_budget;
    for (std::uint32_t type = 0; type < program.point_types.size(); type++)
        shares_budget.push_back(reach.may_exceed_budget(problem.state, type));

    // One that looks around may meet what any of the others has done.
    bool all_meet = false;
    for (const auto* child : problem.children) all_meet = all_meet || looks_around(program, *child);

    Sharing sharing(problem.children.size());
    for (std::size_t child = 0; child < problem.children.size(); child++) {
        if (all_meet) sharing.shares(child, everything);
        for_each_benefit(program, *problem.children[child], [&](Index benefit) {
            const Benefit& rule = *program.benefits[benefit].rule;
            const auto most = rule.reach();
            for (const auto line : problem.visible_lines(benefit)) sharing.shares(child, line);
            if (!most || most->shipping) sharing.shares(child, shipping);
            if (shares_discount && (!most || most->goods)) sharing.shares(child, discount);
            const auto type = rule.point_type();
            if (type != no_point_type && shares_budget[type] && (!most || most->pays))
                sharing.shares(child, budget + type);
        });
    }
    return sharing.components();
}

}  // namespace loyalty
