// Arbitration: how the children of a node combine. Each node turns a state into a state and tells what was done on the
// way; the four types differ only in what each child is given to work on.
#pragma once

#include "core/calculate/calculate.hpp"
#include "core/calculate/candidates.hpp"
#include "core/calculate/commit.hpp"
#include "core/calculate/taken.hpp"
#include "core/calculate/untouched.hpp"
#include "core/calculate/work.hpp"

#include <optional>
#include <vector>

namespace loyalty {

using Children = std::vector<const CandidateNode*>;

// What a search for the maximum benefit of a group has chosen.
struct Decision {
    Index group = none;
    Children children{};
    bool summed = false;
    bool proven = true;
    std::optional<int128> bound{};  // of the worth of all combinations, if this one is not proven to be the best
};
using Decisions = std::vector<Decision>;

// Where a node stands: the groups around it, what earlier children of incompatible groups have taken, whether what it
// does is to be recorded (a search tries many combinations, but only the one chosen is told), the decisions of searches
// that have been made already, what was earned in the present group, and, within a promotion, what the state was when
// it began.
struct Scope {
    const Enclosing* enclosing = nullptr;
    const Taken* taken = nullptr;
    Trace* trace = nullptr;
    const Decisions* plan = nullptr;
    const Untouched* untouched = nullptr;
    const SetsFormed* sets = nullptr;  // in the present condition, if there are benefits that form any
    std::size_t earned_from = 0;  // where in State::earned that begins which belongs to the present group
};

class Arbiter {
public:
    Arbiter(const Bounds& bounds, const Candidates& candidates, Work& work, std::size_t children_in_full = 0)
        : program_(bounds.program),
          order_(bounds.order),
          bounds_(bounds),
          candidates_(candidates),
          work_(work),
          children_in_full_(children_in_full) {}
    Arbiter(const Arbiter&) = delete;
    Arbiter& operator=(const Arbiter&) = delete;

    // The whole tree. What was done to `state` is returned in the order of doing.
    Entries run(State& state, Trace& trace);

    bool optimal() const { return unproven_ == 0; }

    // For searches:
    Entries evaluate(const CandidateNode& node, State& state, const Scope& scope);
    Proposal propose(Index benefit, const State& state, const Scope& scope, NodeTrace* trace);
    const Bounds& bounds() const { return bounds_; }
    const Candidates& candidates() const { return candidates_; }
    Work& work() { return work_; }
    // What the groups of type max_benefit in the nodes evaluated last have decided; a search takes back what it gives
    // up.
    Decisions& decisions() { return decisions_; }
    // Of how many children a group is searched to the end whatever it takes, if there are few lines.
    std::size_t children_in_full() const { return children_in_full_; }
    // How many searches have ended without a proof.
    std::size_t unproven() const { return unproven_; }
    void take_back_unproven(std::size_t count) { unproven_ = count; }

private:
    // Keeps of State::earned the first `kept`, and adds what the entries accrued, where anything may multiply it.
    void note_earned(State& state, std::size_t kept, const Entries& entries) const;
    Entries evaluate_group(const CandidateNode& node, State& state, const Scope& scope);
    Entries consistent(const Children& children, State& state, const Scope& scope);
    Entries incompatibility(const Children& children, State& state, const Scope& scope);
    Entries summation(const Children& children, State& state, const Scope& scope);
    Entries max_benefit(const Children& children, State& state, const Scope& scope);
    Entries best_by_line(const Children& children, State& state, const Scope& scope);
    void trace_best_by_line(const Children& children, const std::vector<Entries>& alone,
                            const std::vector<Entries>& kept, Trace& trace) const;
    Entries carry_out(const Decision& decision, const Children& children, State& state, const Scope& scope);
    void trace_not_chosen(const CandidateNode& node, const State& state, const Scope& scope, const Children& chosen,
                          int128 worth);
    void mark_not_chosen(const CandidateNode& node, Trace& trace) const;
    void trace_contests(const CandidateNode& child, const State& state, const Entries& entries, const Scope& scope);
    Entries evaluate_untold(const CandidateNode& node, State& state, const Scope& scope);
    Index promotion_of(const Entry& entry) const;
    int128 worth_of(const Entries& entries) const;
    Entries combine(const Group& group, const Children& children, State& state, const Scope& scope);

    Entries evaluate_promotion(Index promotion, State& state, const Scope& scope);
    Entries apply_benefits(Index promotion, State& state, const Scope& scope, NodeTrace* trace);
    // Whether the condition's lines, or the order, come to what is asked of them at current prices.
    Reason too_small_now(Index benefit, const State& state, NodeTrace* trace) const;
    bool is_used_up(Index benefit) const;
    std::vector<Index> benefits_of(const Promotion& promotion, Level level) const;
    View view_for(Index benefit, const State& state, const Scope& scope) const;
    // Why there is nothing that the benefit may look at, if there is not.
    Reason out_of_sight(Index benefit, const View& view) const;
    bool sees(Index benefit, std::uint32_t line) const;
    // The promotion that has taken what the benefit needs; none if it was free.
    Index taken_by(Index benefit, const Scope& scope) const;
    Index goods_taken_by(Index benefit, const Scope& scope) const;
    // Adds up what each of some children, or of the benefits of a parallel promotion, did alone.
    Entries sum_up(std::vector<Entries>&& summands, State&& last, State& state, const Scope& scope);

    const Program& program_;
    const Order& order_;
    const Bounds& bounds_;
    const Candidates& candidates_;
    Work& work_;
    std::size_t children_in_full_;
    Decisions decisions_;
    std::size_t unproven_ = 0;
};

}  // namespace loyalty
