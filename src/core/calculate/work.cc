#include "core/calculate/work.hpp"

namespace loyalty {

void Work::check() {
    next_check_ = weight_ + 10'000 * weight_of_step;
    if (check_interrupts_) check_interrupts_();
}

std::int64_t Work::share() const {
    return begun_ >= searches_ ? most_ : most_ / searches_ * begun_;
}

void Work::begin_search() {
    if (depth_++ > 0) return;
    begun_++;
    started_ = weight_;
    const std::int64_t left = share() - used_;
    end_ = left > INT64_MAX - weight_ ? INT64_MAX : weight_ + left;
}

// What a search took beyond its share is not the others' loss.
void Work::end_search() {
    if (--depth_ > 0) return;
    used_ = std::min(share(), used_ + (weight_ - started_));
}

}  // namespace loyalty
