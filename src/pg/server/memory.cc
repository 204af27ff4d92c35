#include <malloc.h>

#include "core/error.hpp"

#include "pg/server/doors.hpp"
#include "pg/server/memory.hpp"
#include "pg/server/postgres.hpp"
#include "pg/server/settings.hpp"

namespace loyalty::pg {

namespace {

std::size_t heap_in_use() {
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
    const auto heap = mallinfo2();
#else
    const auto heap = mallinfo();
#endif
    return static_cast<std::size_t>(heap.uordblks) + static_cast<std::size_t>(heap.hblkhd);
}

std::size_t limit() { return static_cast<std::size_t>(settings::max_calculation_memory) * 1024; }

}  // namespace

CalculationMemory::CalculationMemory() : outer_(current_), last_checked_(GetCurrentTimestamp()) {
    if (!outer_) current_ = this;
}

CalculationMemory::~CalculationMemory() { current_ = outer_; }

void CalculationMemory::asked(std::size_t lines, std::size_t promotions) {
    if (!current_) return;
    current_->lines_ = lines;
    current_->promotions_ = promotions;
}

std::size_t CalculationMemory::held() const {
    if (!begun_with_) return 0;
    const std::size_t now = heap_in_use();
    return now > *begun_with_ ? now - *begun_with_ : 0;
}

bool CalculationMemory::is_exceeded() {
    constexpr std::int64_t between_us = 4000;
    if (!current_) return false;
    const std::int64_t now = GetCurrentTimestamp();
    if (now - current_->last_checked_ < between_us && now >= current_->last_checked_) return false;
    current_->last_checked_ = now;
    if (!current_->begun_with_) current_->begun_with_ = heap_in_use();
    return current_->held() > limit();
}

void CalculationMemory::check() {
    if (is_exceeded()) fail();
}

void CalculationMemory::require(std::size_t bytes) {
    if (current_ && current_->held() + bytes > limit()) fail();
}

void CalculationMemory::fail() {
    const auto megabytes = [](std::size_t bytes) { return std::to_string((bytes + 1024 * 1024 - 1) / (1024 * 1024)); };
    throw Error(
        sqlstate::calculation_too_large, "the calculation needs more memory than it may have",
        "It may have " + megabytes(limit()) + " MB; the order has " + std::to_string(current_->lines_) +
            " lines, and " + std::to_string(current_->promotions_) + " promotions are in force.",
        "Ask for less (\"detail\": \"lines\" or \"totals\"), split the order, or let fewer promotions match all of "
        "its lines; or let an administrator raise loyalty.max_calculation_memory.");
}

void check_calculation() {
    check_interrupts();
    CalculationMemory::check();
}

}  // namespace loyalty::pg
