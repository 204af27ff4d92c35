// Steps of a calculation: one step is one unit group looked at by one benefit, or as much of the bookkeeping of a
// search. No clock is read, so that the same order gives the same bytes everywhere.
//
// They keep a long calculation interruptible, and end searches for the maximum benefit (not the calculation) at a
// limit. An order has one limit. Each of its *top-level* groups of type max_benefit, those in no other one, has an
// equal share of it for itself, and what one leaves goes to later ones; so a hard one never spoils an easy one. What is
// nested in such a group counts in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace loyalty {

class Work {
public:
    // `searches` is how many top-level groups of type max_benefit the order meets.
    Work(std::function<void()> check_interrupts, std::int64_t search_steps, std::int64_t searches = 1)
        : check_interrupts_(std::move(check_interrupts)), search_steps_(search_steps), searches_(searches) {}

    void add(std::size_t steps);
    // Whether the present search is to come to its end.
    bool search_exhausted() const { return depth_ > 0 && in_full_ == 0 && steps_ > end_; }

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
    void begin_search();
    void end_search();
    // What the top-level searches begun so far may take together.
    std::int64_t share() const;

    std::function<void()> check_interrupts_;
    std::int64_t search_steps_;
    std::int64_t searches_;
    std::int64_t begun_ = 0;    // top-level searches
    std::int64_t used_ = 0;     // by those that have ended
    std::int64_t started_ = 0;  // the present one, at this step, …
    std::int64_t end_ = 0;      // … and where its share ends
    int depth_ = 0;
    int in_full_ = 0;
    std::int64_t steps_ = 0;
    std::int64_t next_check_ = 0;
};

}  // namespace loyalty
