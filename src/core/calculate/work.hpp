// Steps of a calculation: a step is about as much work as a tenth of a microsecond is enough for. No clock is read, so
// that the same order gives the same bytes everywhere; what is done is counted, and weighed with the constants below.
//
// They keep a long calculation interruptible, and end searches for the maximum benefit (not the calculation) at a
// limit. An order has one limit. Each of its *top-level* groups of type max_benefit, those in no other one, has an
// equal share of it for itself, and what one leaves goes to later ones; so a hard one never spoils an easy one. What is
// nested in such a group counts in it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace loyalty {

// What is counted, and what each weighs: in hundredths of a step, about a nanosecond of a processor of 2026. They were
// found by counting each kind in 1,600 searches, those of the fixtures of bench/max_benefit at two limits and random
// ones of the unit tests, and fitting the times of these by least squares; most times come out within a fifth. What an
// order costs at a limit rests on them: whoever changes them changes prices.
enum class Step : std::int64_t {
    benefit = 700,  // a benefit makes its proposal, and that is committed
    part = 200,     // it looks at a unit group; or something is told about one
    group = 3,      // a search looks at a unit group of a state, or at a line
    cut = 2,        // and at what a benefit can take off a line, or several
    pick = 5,       // or at one of the prices that a benefit picks from
    sum = 600,      // it adds up children
    share = 1,      // and what one of them takes off a piece of a unit group
    price = 2,      // or finds the price of a unit group before or behind a child
    set = 110,      // a way is followed on which units come into sets
};

class Work {
public:
    // `searches` is how many top-level groups of type max_benefit the order meets.
    Work(std::function<void()> check_interrupts, std::int64_t search_steps, std::int64_t searches = 1)
        : check_interrupts_(std::move(check_interrupts)),
          most_(std::min(search_steps, INT64_MAX / weight_of_step) * weight_of_step),
          searches_(searches) {}

    void add(Step kind, std::size_t count = 1) {
        weight_ += static_cast<std::int64_t>(kind) * static_cast<std::int64_t>(count);
        if (weight_ >= next_check_) check();
    }
    // So far, the last of them begun.
    std::int64_t steps() const { return (weight_ + weight_of_step - 1) / weight_of_step; }
    // Whether the present search is to come to its end.
    bool search_exhausted() const { return depth_ > 0 && in_full_ == 0 && weight_ > end_; }

    // For another attempt at the same order, which has all of the limit again.
    void start_over() { begun_ = used_ = 0; }

    // While it lives a group is searched.
    class Search {
    public:
        explicit Search(Work& work) : work_(work) { work_.begin_search(); }
        ~Search() { work_.end_search(); }
        Search(const Search&) = delete;
        Search& operator=(const Search&) = delete;
        bool is_top_level() const { return work_.depth_ == 1; }

    private:
        Work& work_;
    };
    // While it lives nothing ends a search.
    class InFull {
    public:
        InFull(Work& work, bool applies) : work_(work), applies_(applies) { work_.in_full_ += applies_ ? 1 : 0; }
        ~InFull() { work_.in_full_ -= applies_ ? 1 : 0; }
        InFull(const InFull&) = delete;
        InFull& operator=(const InFull&) = delete;

    private:
        Work& work_;
        bool applies_;
    };
    // While it lives searches are no part of the result, and take nothing from those that are.
    class Aside {
    public:
        explicit Aside(Work& work) : work_(work), begun_(work.begun_), used_(work.used_) {}
        ~Aside() {
            work_.begun_ = begun_;
            work_.used_ = used_;
        }
        Aside(const Aside&) = delete;
        Aside& operator=(const Aside&) = delete;

    private:
        Work& work_;
        std::int64_t begun_, used_;
    };

private:
    static constexpr std::int64_t weight_of_step = 100;

    void check();
    void begin_search();
    void end_search();
    // What the top-level searches begun so far may take together.
    std::int64_t share() const;

    std::function<void()> check_interrupts_;
    std::int64_t most_;  // that searches may weigh
    std::int64_t searches_;
    std::int64_t begun_ = 0;    // top-level searches
    std::int64_t used_ = 0;     // by those that have ended
    std::int64_t started_ = 0;  // the present one, at this step, …
    std::int64_t end_ = 0;      // … and where its share ends
    int depth_ = 0;
    int in_full_ = 0;
    std::int64_t weight_ = 0;  // of all steps so far
    std::int64_t next_check_ = 0;
};

}  // namespace loyalty
