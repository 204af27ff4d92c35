// Measures the search for the maximum benefit against trying every combination, which is what it replaces: each subset of
// the children, one after the other and as a sum, by the engine's own means; and, of the families that are hardest, how
// far it comes within the limit that a program has by default. See doc/performance.md.
//
//     bench/max_benefit [ROUNDS]
//
// Time is processor time of the calculation; the median of several rounds, in which all cases take turns.

#include "core/calculate/calculate.hpp"
#include "core/calculate/candidates.hpp"
#include "core/compile/compile.hpp"
#include "core/search/problem.hpp"
#include "unit/search_cases.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <string>
#include <vector>

namespace loyalty {
namespace {

double processor_milliseconds() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

template <class Action>
double measured(const Action& action) {
    const double start = processor_milliseconds();
    action();
    return processor_milliseconds() - start;
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

// The main arbitration of a program, its children and the state before them.
class Brute {
public:
    Brute(const Program& program, const Order& order)
        : program_(program),
          bounds_(program, order),
          candidates_(find_candidates(program, order)),
          work_({}, INT64_MAX),
          arbiter_(bounds_, candidates_, work_),
          enclosing_{nullptr, &program.groups[0], bounds_.max_discount(program.groups[0])},
          state_(order, program.point_types.size()) {
        scope_.enclosing = &enclosing_;
        for (const auto& child : candidates_.main.children) children_.push_back(&child);
    }

    // The greatest worth of all combinations.
    Worth run() {
        Worth best = 0;
        for (std::size_t subset = 0; subset < std::size_t{1} << children_.size(); ++subset) {
            best = std::max(best, one_after_the_other(subset));
            best = std::max(best, summed(subset));
        }
        return best;
    }

private:
    Worth one_after_the_other(std::size_t subset) {
        State state = state_;
        Worth accrued = 0;
        for (std::size_t i = 0; i < children_.size(); ++i) {
            if (subset >> i & 1U) accrued += problem().accrued(arbiter_.evaluate(*children_[i], state, scope_));
        }
        return worth(state) + accrued;
    }

    Worth summed(std::size_t subset) {
        std::vector<Entries> summands;
        for (std::size_t i = 0; i < children_.size(); ++i) {
            if (!(subset >> i & 1U)) continue;
            State state = state_;
            summands.push_back(arbiter_.evaluate(*children_[i], state, scope_));
        }
        State state = state_;
        const Entries entries = commit_sum(bounds_, enclosing_, state, summands);
        return worth(state) + problem().accrued(entries);
    }

    SearchProblem problem() { return {arbiter_, children_, state_, scope_}; }
    Worth worth(const State& after) { return problem().worth_of(state_.total() - after.total()); }

    const Program& program_;
    Bounds bounds_;
    Candidates candidates_;
    Work work_;
    Arbiter arbiter_;
    Enclosing enclosing_;
    State state_;
    Scope scope_;
    Children children_;
};

struct Measurement {
    const char* fixture;
    int promotions;
    Case subject;
    bool brute;  // whether all combinations can be tried
    std::vector<double> search{}, enumeration{};
};

Worth worth_of(const Program& program, const Calculation& result) {
    Worth worth = Worth{(result.goods.base + result.shipping.base - result.total).units} * program.value_denominator;
    for (const Operation& operation : result.operations) {
        if (operation.entry.kind == Entry::Kind::accrual)
            worth += Worth{operation.entry.points.units} * program.point_types[operation.entry.point_type].value;
    }
    return worth;
}

// Measures once more; ends the program if the search is not exact.
void measure(Measurement& measurement) {
    const Program program = compile(measurement.subject.tree, 1);
    const Order& order = measurement.subject.order;
    CalculationOptions options;
    options.is_credited = [](std::string_view) { return true; };
    std::optional<Calculation> result;
    measurement.search.push_back(measured([&] { result = calculate(program, order, options); }));
    bool exact = result->optimal;
    if (measurement.brute) {
        Worth best = 0;
        measurement.enumeration.push_back(measured([&] { best = Brute(program, order).run(); }));
        exact = exact && best == worth_of(program, *result);
    }
    if (exact) return;
    std::fprintf(stderr, "%s of %d promotions: the search is not exact\n", measurement.fixture, measurement.promotions);
    std::exit(1);
}

void print(const Measurement& measurement) {
    const double search = median(measurement.search);
    std::printf("%-12s %10d %10.2f ms", measurement.fixture, measurement.promotions, search);
    if (measurement.brute) {
        const double enumeration = median(measurement.enumeration);
        std::printf(" %12.2f ms %10.1f\n", enumeration, enumeration / search);
    } else {
        std::printf(" %15s %10s\n", "-", "-");
    }
}

// A family that is hard, how many promotions of it, the best worth that was ever found, in cents: by long searches, and by
// climbing from many random combinations; and what was found within the limit before steps had weights and picks
// a bound of their own.
struct Hard {
    const char* family;
    int promotions;
    Case subject;
    std::int64_t best_known;
    struct {
        bool proven;
        std::int64_t worth;
        double milliseconds;
    } before;
    std::int64_t worth = 0, steps = 0;
    bool proven = false;
    std::vector<double> milliseconds{};
};

void measure(Hard& hard) {
    const Program program = compile(hard.subject.tree, 1);
    CalculationOptions options;
    options.is_credited = [](std::string_view) { return true; };
    Calculation result;
    hard.milliseconds.push_back(measured([&] { result = calculate(program, hard.subject.order, options); }));
    hard.proven = result.optimal;
    hard.steps = result.steps;
    hard.worth = static_cast<std::int64_t>(worth_of(program, result) / program.value_denominator);
}

void print(const Hard& hard) {
    const auto gap = [&](std::int64_t worth) {
        return 100.0 * static_cast<double>(hard.best_known - worth) / static_cast<double>(hard.best_known);
    };
    const auto yes = [](bool proven) { return proven ? "proven" : "-"; };
    std::printf("%-9s %4d %8ld %7s %8ld %6.2f %% %5.0f ms %7s %8ld %6.2f %% %6.1f ms %8ld\n", hard.family,
                hard.promotions, hard.best_known, yes(hard.before.proven), hard.before.worth, gap(hard.before.worth),
                hard.before.milliseconds, yes(hard.proven), hard.worth, gap(hard.worth), median(hard.milliseconds),
                hard.steps);
}

std::vector<Hard> hard_families() {
    std::vector<Hard> families;
    const auto add = [&](const char* family, int promotions, Case (*make)(int), std::int64_t best_known, auto before) {
        families.push_back({family, promotions, make(promotions), best_known,
                            {before.proven, before.worth, before.milliseconds}});
    };
    struct Before {
        bool proven;
        std::int64_t worth;
        double milliseconds;
    };
    add("picks", 22, picking_promotions, 62'606, Before{true, 62'606, 35});
    add("picks", 30, picking_promotions, 72'310, Before{false, 72'310, 91});
    add("picks", 40, picking_promotions, 79'217, Before{false, 79'217, 112});
    add("picks", 60, picking_promotions, 103'461, Before{false, 103'461, 203});
    add("cover", 30, covering_promotions, 426'400, Before{true, 426'400, 14});
    add("cover", 40, covering_promotions, 426'400, Before{false, 426'400, 50});
    add("cover", 60, covering_promotions, 426'400, Before{false, 426'400, 199});
    add("rounding", 22, rounding_promotions, 69'301, Before{true, 69'301, 15});
    add("rounding", 30, rounding_promotions, 89'763, Before{true, 89'763, 54});
    add("rounding", 45, rounding_promotions, 140'579, Before{false, 140'579, 79});
    add("rounding", 60, rounding_promotions, 178'658, Before{false, 178'658, 68});
    return families;
}

void measure_hard_families(int rounds) {
    std::vector<Hard> families = hard_families();
    for (int round = 0; round < rounds; ++round) {
        for (auto& hard : families) measure(hard);
    }
    std::printf("\nWithin the default limit; before: steps without weights, picks without a bound of their own.\n");
    std::printf("%-9s %4s %8s %36s %45s\n", "family", "n", "best", "before: worth, gap, time",
                "now: worth, gap, time, steps");
    for (const auto& hard : families) print(hard);
}

int run(int rounds) {
    std::vector<Measurement> measurements;
    for (const int promotions : {5, 10, 15, 20})
        measurements.push_back({"interacting", promotions, interacting_promotions(promotions), promotions <= 15});
    for (const int promotions : {5, 10, 15, 50, 100, 200})
        measurements.push_back({"lowering", promotions, lowering_promotions(promotions), promotions <= 15});
    for (int round = 0; round < rounds; ++round) {
        for (auto& measurement : measurements) measure(measurement);
    }
    std::printf("%-12s %10s %13s %15s %10s\n", "fixture", "promotions", "search", "brute force", "ratio");
    for (const auto& measurement : measurements) print(measurement);
    std::printf("\nAims: 20 that interact and 200 that only lower prices in less than 10 ms each.\n");
    measure_hard_families(rounds);
    return 0;
}

}  // namespace
}  // namespace loyalty

int main(int count, char** arguments) { return loyalty::run(count > 1 ? std::atoi(arguments[1]) : 5); }
