#include "core/program/schedule.hpp"

#include <chrono>

namespace loyalty {

namespace {

std::chrono::year_month_day date_of(std::int32_t day) { return std::chrono::sys_days{std::chrono::days{day}}; }

unsigned weekday_of(std::int32_t day) {
    return std::chrono::weekday{std::chrono::sys_days{std::chrono::days{day}}}.iso_encoding();
}

// The number of the period that a day lies in; consecutive periods have consecutive numbers.
int period_of(std::int32_t day, Period unit) {
    switch (unit) {
        case Period::day:
            return day;
        case Period::week: {
            const int monday = day - static_cast<int>(weekday_of(day)) + 1;
            // 1970-01-05 was a Monday, so this is divisible.
            return (monday - 4) / 7;
        }
        case Period::month: {
            const auto date = date_of(day);
            return static_cast<int>(date.year()) * 12 + static_cast<int>(static_cast<unsigned>(date.month()));
        }
    }
    return 0;
}

}  // namespace

Unavailable Schedule::judge(const LocalTime& time) const {
    std::int32_t day = time.day();
    if (from_us && to_us) {
        const std::int64_t now = time.time_of_day_us();
        const bool past_midnight = *to_us < *from_us;
        const bool inside = past_midnight ? now >= *from_us || now < *to_us : now >= *from_us && now < *to_us;
        if (!inside) return Unavailable::time_of_day;
        if (past_midnight && now < *to_us) day--;
    }
    const auto date = date_of(day);
    if (months.any() && !months[static_cast<unsigned>(date.month())]) return Unavailable::month;
    if (days_of_month.any() && !days_of_month[static_cast<unsigned>(date.day())]) return Unavailable::day_of_month;
    if (weekdays.any() && !weekdays[weekday_of(day)]) return Unavailable::weekday;
    if (every > 0) {
        const int passed = period_of(day, every_unit) - period_of(start_day, every_unit);
        if (passed < 0 || passed % every != 0) return Unavailable::every;
    }
    return Unavailable::none;
}

}  // namespace loyalty
