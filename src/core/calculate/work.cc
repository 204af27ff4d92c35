#include "core/calculate/work.hpp"

#include <algorithm>

namespace loyalty {

void Work::add(std::size_t steps) {
    steps_ += static_cast<std::int64_t>(steps) + 1;
    if (steps_ < next_check_) return;
    next_check_ = steps_ + 10'000;
    if (check_interrupts_) check_interrupts_();
}

std::int64_t Work::share() const {
    return begun_ >= searches_ ? search_steps_ : search_steps_ / searches_ * begun_;
}

void Work::begin_search() {
    if (depth_++ > 0) return;
    begun_++;
    started_ = steps_;
    const std::int64_t left = share() - used_;
    end_ = left > INT64_MAX - steps_ ? INT64_MAX : steps_ + left;
}

// What a search took beyond its share is not the others' loss.
void Work::end_search() {
    if (--depth_ > 0) return;
    used_ = std::min(share(), used_ + (steps_ - started_));
}

}  // namespace loyalty
